// The newest calls as they were sent; each opens to its request, its answer, and what to do about a refusal.

import { byId, clock, make } from "./dom.js";
import { show } from "./views.js";
import { say, tongue } from "./words.js";

const MOST = 200;
const DRAWN = 100; // older ones when somebody asks for them
const AT_ONCE = 25; // in a storm nobody reads further

let calls = [];

export function setUpCalls() {
  byId("only-refused").addEventListener("change", redraw);
}

export function note(news) {
  let fresh = news.calls;
  if (news.reset) {
    const last = calls.at(-1);
    if (last && fresh.some((call) => call.number === last.number && call.time === last.time)) {
      fresh = fresh.filter((call) => call.number > last.number); // another filter, or a message less: the calls are the same
    } else {
      calls = [];
      byId("calls").replaceChildren();
    }
  }
  calls.push(...fresh);
  if (calls.length > MOST) calls = calls.slice(-MOST);
  const list = byId("calls");
  list.dataset.empty = say("no_calls");
  const wanted = fresh.filter(isWanted);
  const drawn = news.reset || wanted.length <= AT_ONCE ? DRAWN : AT_ONCE;
  list.prepend(...wanted.slice(-drawn).map(entry).reverse());
  for (const item of [...list.children].slice(drawn)) if (!isRead(item)) item.remove();
}

// Somebody looks at it, and it stays.
const isRead = (item) => item.contains(document.activeElement) || item.querySelector("details[open]");

export function redraw() {
  byId("calls").dataset.empty = say("no_calls");
  byId("calls").replaceChildren(...calls.filter(isWanted).slice(-DRAWN).map(entry).reverse());
}

export function showRequest(message) {
  const call = calls.find((found) => found.message === message);
  if (!call) return say("no_request", message);
  show("inspector");
  if (!isWanted(call)) {
    byId("only-refused").checked = false;
    redraw();
  }
  let item = byId("calls").querySelector(`[data-number="${call.number}"]`);
  if (!item) byId("calls").append(item = entry(call));
  const details = item.querySelector("details");
  details.open = true;
  details.querySelector("summary").focus();
  details.scrollIntoView({ block: "nearest" });
  return "";
}

const isBad = (call) => call.errcode !== 0;
const isDoubtful = (call) => call.discarded > 0 || Boolean(call.warning);
const isWanted = (call) => isBad(call) || isDoubtful(call) || !byId("only-refused").checked;

function verdict(call) {
  if (call.discarded) return say("left_out");
  if (call.errcode !== null) return call.errcode === 0 ? (call.warning ? say("ok_but") : "ok") : String(call.errcode);
  return call.status ? `HTTP ${call.status}` : say("dropped");
}

function entry(call) {
  const summary = make("summary", {},
    make("span", { class: `verdict ${isBad(call) ? "bad" : isDoubtful(call) ? "amber" : "good"}` }, verdict(call)),
    make("span", { class: "path" }, call.path.replace(/^\/(cgi-bin|aibot)\//, "")),
    call.msgtype ? make("span", { class: "quiet" }, call.msgtype) : "",
    call.limit ? make("span", { class: call.used > call.limit ? "figure bad" : "figure" }, `${call.used}/${call.limit} B`) : "",
    make("span", { class: "when" }, clock(call.time)));
  const details = make("details", {}, summary);
  details.addEventListener("toggle", () => { if (details.open && details.children.length === 1) details.append(whole(call)); });
  return make("li", { "data-number": call.number }, details);
}

function whole(call) {
  const shown = make("div", { class: "whole" });
  if (call.remedy) {
    shown.append(make("p", { class: "remedy" }, make("b", {}, `${say("remedy")}: `), `${call.remedy[tongue()]} `,
      make("a", { href: call.remedy.url, target: "_blank", rel: "noopener noreferrer" }, say("look_up"))));
  }
  if (call.discarded) shown.append(make("p", { class: "remedy doubt" }, say("silently", call.discarded)));
  if (call.warning) shown.append(make("p", { class: "remedy doubt" }, `${say("taken_with")}: ${call.warning}`));
  if (call.limit) {
    const text = say("bytes", call.used, call.limit);
    shown.append(make("p", {}, make("meter", { min: "0", max: String(call.limit), low: String(call.limit * 0.8), high: String(call.limit * 0.95), optimum: "0", value: String(call.used), "aria-label": text }), ` ${text}`));
  }
  const line = `${call.method} ${call.path}${call.query ? `?${call.query}` : ""}`;
  shown.append(make("h4", {}, `${say("sent")} · ${say("size", call.size)} · ${call.ms.toFixed(1)} ms`),
    make("pre", { tabindex: "0" }, `${line}\nUser-Agent: ${call.agent}\n\n${pretty(call)}`),
    make("h4", {}, say("answer")),
    make("pre", { tabindex: "0" }, call.errcode === null ? verdict(call) : `${call.errcode} ${call.errmsg}`));
  return shown;
}

function pretty(call) {
  if (!call.body) return call.size ? say("uploaded") : "";
  try { return JSON.stringify(JSON.parse(call.body), null, 2); } catch { return call.body; }
}
