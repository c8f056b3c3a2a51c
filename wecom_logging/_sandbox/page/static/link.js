// The line to the sandbox. Its token, if it has one, stood behind the # of the address and stays in this tab.

function findToken() {
  const given = location.hash.slice(1);
  if (/^[\w-]{20,}$/.test(given)) {
    sessionStorage.setItem("token", given);
    history.replaceState(null, "", location.pathname + location.search);
  }
  try { return sessionStorage.getItem("token") ?? ""; } catch { return ""; }
}

const token = findToken();
const authorization = token ? { Authorization: `Bearer ${token}` } : {};

export async function ask(method, path, body) {
  const headers = { ...authorization, ...(body && { "Content-Type": "application/json" }) };
  try {
    const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
    return await answer.json();
  } catch (error) {
    return { error: String(error) };
  }
}

// By fetch, as a link could not carry the token. Undefined where it is not there.
export async function load(path) {
  try {
    const answer = await fetch(path, { headers: authorization });
    return answer.ok ? await answer.blob() : undefined;
  } catch {
    return undefined;
  }
}

export async function save(path) {
  const blob = await load(path);
  if (blob) saveAs(path.split("?")[0].split("/").at(-1), blob);
}

export function saveAs(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

const AGAIN_MS = 3000;

// A browser has six connections to one host for all of its tabs, so only those that are looked at keep one.
// What is returned begins anew, with another filter.
export function listen(filter, onNews, onState) {
  let source;
  let seen = "";
  const open = () => {
    source?.close();
    if (document.hidden) return;
    const query = filter();
    if (token) query.set("token", token);
    if (seen) query.set("after", seen);
    source = new EventSource(`/sandbox/events?${query}`);
    source.addEventListener("open", () => onState("live"));
    source.addEventListener("error", async ({ target }) => {
      if (target.readyState !== EventSource.CLOSED) return onState("lost");
      const [why, text] = await refusal(target.url);
      if (target !== source) return;
      onState(why, text);
      if (why === "lost" || why === "full") setTimeout(open, AGAIN_MS);
    });
    source.addEventListener("message", (event) => {
      seen = event.lastEventId;
      onNews(JSON.parse(event.data));
    });
  };
  document.addEventListener("visibilitychange", open);
  open();
  return () => { seen = ""; open(); };
}

// An EventSource that was refused does not say with which status.
async function refusal(url) {
  try {
    const answer = await fetch(url);
    if (answer.status === 400) return ["wrong", (await answer.json()).error];
    answer.body.cancel();
    return [answer.status === 401 ? "locked" : "full"];
  } catch {
    return ["lost"];
  }
}
