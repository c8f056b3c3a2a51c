// A message for the clipboard: as text, as JSON, or as a curl command that sends it again.

import { make } from "./dom.js";
import { ask } from "./link.js";
import { say } from "./words.js";

const FORMS = {
  text: (message) => message.content,
  json: (message) => JSON.stringify(message.body, null, 2),
  curl,
};
const SAID_MS = 1500;

export async function copyMessage(id, form, exported) {
  const message = await ask("GET", `/sandbox/messages/${id}`);
  return message.error ? false : write(FORMS[form](message, exported));
}

export function copyButton(label, what) {
  const button = make("button", { type: "button" }, label);
  button.addEventListener("click", async () => {
    const done = await what();
    button.textContent = say(done ? "copied" : "not_copied");
    setTimeout(() => { button.textContent = label; }, SAID_MS);
  });
  return button;
}

// Away from this machine there is no HTTPS, and so no navigator.clipboard.
export async function write(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch { /* the old way, then */ }
  const area = make("textarea", { class: "hidden" });
  area.value = text;
  const before = document.activeElement;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  before?.focus();
  return done;
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

// The variables are those that the sandbox prints when it starts; no secret of theirs goes to the clipboard.
function curl(message, exported) {
  const body = quoted(JSON.stringify(message.body));
  const send = (path, secret) => `curl "$WECOM_API_BASE/cgi-bin/${path}?${secret}" -H 'Content-Type: application/json' -d ${body}\n`;
  if (message.channel === "bot") return send("webhook/send", `key=${message.key === exported.WECOM_WEBHOOK ? "$WECOM_WEBHOOK" : encodeURIComponent(message.key)}`);
  const token = `TOKEN=$(curl -s "$WECOM_API_BASE/cgi-bin/gettoken?corpid=$WECOM_CORP_ID&corpsecret=$WECOM_SECRET" | sed 's/.*"access_token": *"\\([^"]*\\)".*/\\1/')\n`;
  return token + send(message.chat ? "appchat/send" : "message/send", "access_token=$TOKEN");
}
