// Faults to inject, and the switches of what WeCom shuts out.

import { byId, make } from "./dom.js";
import { ask } from "./link.js";
import { say } from "./words.js";

const PATHS = ["webhook/send", "message/send", "gettoken", "media/upload", "webhook/upload_media", "user/get", "department/list"];
const COMMANDS = ["aibot_send_msg", "aibot_respond_update_msg", "aibot_respond_msg", "aibot_subscribe", "ping"];
const KINDS = { errcode: 45009, status: 502, delay_s: 5, drop: 1, withhold: 1 };
const WORDLESS = ["drop", "withhold"];

// What a hand just switched stays for a moment: news that were on their way say how it was before.
const HELD_MS = 1000;

let parts;
let touched = -HELD_MS;

export function buildFaults() {
  const path = make("select", {}, ...PATHS.map((name) => make("option", { value: `/cgi-bin/${name}` }, name)),
    ...COMMANDS.map((name) => make("option", { value: `/aibot/${name}` }, `aibot/${name}`)));
  const kind = make("select", {}, ...Object.keys(KINDS).map((name) => make("option", { value: name }, say(name))));
  const value = make("input", { type: "number", value: "45009", step: "any" });
  const times = make("input", { type: "number", value: "1", min: "1", step: "1" });
  kind.addEventListener("change", () => { value.value = KINDS[kind.value]; value.disabled = WORDLESS.includes(kind.value); });
  const form = make("form", { class: "order" }, field("path", path), field("trouble", kind), field("value", value), field("times", times), make("button", {}, say("order")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    order({ path: path.value, times: Number(times.value), [kind.value]: WORDLESS.includes(kind.value) ? true : Number(value.value) });
  });
  const trusted = check("trusted", (on) => order({ trusted_ips: on ? [] : null }));
  const details = check("details", (on) => order({ contacts_details: !on }));
  const mode = make("select", {}, ...["same", "kill_old", "overlap"].map((name) => make("option", { value: name }, say(name))));
  mode.addEventListener("change", () => order({ token_mode: mode.value }));
  const voiding = make("button", { type: "button" }, say("void"));
  voiding.addEventListener("click", () => order({ void_token: true }));
  const undoAll = make("button", { type: "button" }, say("undo_all"));
  undoAll.addEventListener("click", () => ask("DELETE", "/sandbox/faults"));
  const calls = make("select", {}, ...["ready", "not_linked", "not_enabled", "no_balance"].map((name) => make("option", { value: name }, say(name))));
  calls.addEventListener("change", () => { touched = performance.now(); order({ phone_calls: calls.value }); });
  const waiting = make("ul", { class: "waiting" });
  const trouble = make("p", { role: "alert", class: "trouble" });
  const cards = check("group_cards", (on) => order({ aibot_group_cards: on }));
  const ids = check("open_userids", (on) => order({ aibot_open_userids: on }));
  const disturb = { unsubscribe: "unsubscribe", cut: "drop", silence: "silence" };
  const buttons = Object.entries(disturb).map(([word, how]) => {
    const button = make("button", { type: "button" }, say(word));
    button.addEventListener("click", () => order({ aibot_connection: how }));
    return button;
  });
  const aibotState = make("span");
  const aibot = make("div", { class: "switches aibot", hidden: true }, aibotState, make("span", { class: "buttons" }, ...buttons), cards.label, ids.label);
  parts = { aibot, aibotState, cards: cards.box, ids: ids.box, trusted: trusted.box, details: details.box, calls, mode, waiting, trouble, drawn: "" };
  byId("faults").replaceChildren(form, trouble, waiting,
    make("div", { class: "switches" }, trusted.label, details.label, field("phone_calls", calls), field("mode", mode), make("span", { class: "buttons" }, voiding, undoAll)), aibot);
}

export function drawFaults(news) {
  if (performance.now() - touched > HELD_MS) {
    parts.trusted.checked = news.trusted_ips !== null;
    parts.details.checked = !news.contacts_details;
    if (document.activeElement !== parts.calls) parts.calls.value = news.phone_calls;
    parts.cards.checked = Boolean(news.aibot?.group_cards);
    parts.ids.checked = Boolean(news.aibot?.open_userids);
    if (document.activeElement !== parts.mode) parts.mode.value = news.token_mode;
  }
  parts.aibot.hidden = !news.aibot;
  if (news.aibot) parts.aibotState.textContent = say("aibot_state", news.aibot.subscribers, news.aibot.connections);
  const told = JSON.stringify(news.faults);
  if (told === parts.drawn) return; // else the button under a finger would go away each second
  parts.drawn = told;
  parts.waiting.replaceChildren(...(news.faults.length ? news.faults.map(row) : [make("li", { class: "quiet" }, say("no_faults"))]));
}

function row(fault) {
  const what = fault.errcode !== null ? `errcode ${fault.errcode}` : fault.status !== null ? `HTTP ${fault.status}` : fault.drop ? say("drop") : fault.withhold ? say("withhold") : "";
  const late = fault.delay_s ? `${say("delay_s")} ${fault.delay_s}` : "";
  const text = `${fault.path.replace(/^\/(cgi-bin\/)?/, "")}: ${[what, late].filter(Boolean).join(", ")} · ${say("times_left", fault.times)}`;
  const undo = make("button", { type: "button", "aria-label": `${say("undo")}: ${text}` }, say("undo"));
  undo.addEventListener("click", () => ask("DELETE", `/sandbox/faults?number=${fault.number}`));
  return make("li", {}, make("span", {}, text), undo);
}

const field = (name, control) => make("label", {}, make("span", {}, say(name)), control);

function check(name, then) {
  const box = make("input", { type: "checkbox" });
  box.addEventListener("change", () => {
    touched = performance.now();
    then(box.checked);
  });
  return { box, label: make("label", { class: "check" }, box, make("span", {}, say(name))) };
}

async function order(wish) {
  const answer = await ask("POST", "/sandbox/faults", wish);
  parts.trouble.textContent = answer.error ? `${say("refused_order")}: ${answer.error}` : "";
}
