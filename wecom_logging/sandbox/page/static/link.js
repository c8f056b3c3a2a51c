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

export function listen(onNews, onState) {
  const source = new EventSource(`/sandbox/events${token ? `?token=${encodeURIComponent(token)}` : ""}`);
  source.addEventListener("open", () => onState("live"));
  source.addEventListener("error", async () => {
    if (source.readyState !== EventSource.CLOSED) return onState("lost");
    const why = await refusal(source.url);
    onState(why);
    if (why !== "locked") setTimeout(listen, AGAIN_MS, onNews, onState);
  });
  source.addEventListener("message", (event) => onNews(JSON.parse(event.data)));
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
