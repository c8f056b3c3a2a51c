// The line to the sandbox. Its token, if it has one, stood behind the # of the address and stays in this tab.

function findToken() {
  const given = location.hash.slice(1);
  if (/^[\w-]{20,}$/.test(given)) {
    sessionStorage.setItem("token", given);
    history.replaceState(null, "", location.pathname);
  }
  try { return sessionStorage.getItem("token") ?? ""; } catch { return ""; }
}

const token = findToken();

export async function ask(method, path, body) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  if (body) headers["Content-Type"] = "application/json";
  try {
    const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
    return await answer.json();
  } catch (error) {
    return { error: String(error) };
  }
}

const AGAIN_MS = 3000;

// A browser has six connections to one host for all of its tabs, so only those that are looked at keep one.
export function listen(onNews, onState) {
  let source;
  let seen = "";
  const open = () => {
    source?.close();
    if (document.hidden) return;
    const query = new URLSearchParams({ ...(token && { token }), ...(seen && { after: seen }) });
    source = new EventSource(`/sandbox/events?${query}`);
    source.addEventListener("open", () => onState("live"));
    source.addEventListener("error", async ({ target }) => {
      if (target.readyState !== EventSource.CLOSED) return onState("lost");
      const why = await refusal(target.url);
      onState(why);
      if (why !== "locked") setTimeout(open, AGAIN_MS);
    });
    source.addEventListener("message", (event) => {
      seen = event.lastEventId;
      onNews(JSON.parse(event.data));
    });
  };
  document.addEventListener("visibilitychange", open);
  open();
}

// An EventSource that was refused does not say with which status.
async function refusal(url) {
  try {
    const answer = await fetch(url);
    answer.body.cancel();
    return answer.status === 401 ? "locked" : "full";
  } catch {
    return "lost";
  }
}
