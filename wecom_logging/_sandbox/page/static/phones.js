// A phone for each receiver: a member in WeCom, the same member in WeChat, the group of each bot, each chat of the AI bot.

import { buildComposer, nameComposer, press, quoteThis } from "./aibot.js";
import { byId, clock, draw, make } from "./dom.js";
import { ask } from "./link.js";
import { openFile } from "./viewer.js";
import { isNarrow } from "./views.js";
import { say } from "./words.js";

const MOST_BUBBLES = 200;
const MOST_PHONES = 64;
const AT_ONCE = 3;

const phones = new Map();
const without = new Set(); // phones that are not drawn
let names = {};
let exported; // the variables of the environment, as soon as they are known
let filtered = false;
let only = ""; // the one receiver that the filter names
let chosen; // the bubble with buttons
let picked = false; // whether a hand has chosen a phone
let onRequest = () => {};

export function setUpPhones(show) { onRequest = show; }

// A name that turns the direction of writing would turn the words behind it, too.
const TURNS = /[\u202a-\u202e\u2066-\u2069]/g;

export function nameOf(id) {
  const own = id.slice(2);
  if (id.startsWith("g:")) return say("group", own);
  return (Object.hasOwn(names, own) ? names[own] : own).replace(TURNS, "");
}

const titleOf = (phone) => `${nameOf(phone.who)} · ${say(phone.place)}`;
const isOf = (phone, who) => phone.who === who || phone.who === who.replace("u:", "a:");
const isShown = (phone) => phone.on && (!only || isOf(phone, only));
const placesOf = (who) => (who.startsWith("u:") ? ["wecom", "wechat"] : who.startsWith("a:") ? ["aibot"] : ["wecom"]);

// For the filter: members by their id, bots by their number.
export function receivers() {
  const all = new Map([...phones.values()].map(({ who }) => [who.startsWith("g:") ? who : who.slice(2), nameOf(who)]));
  return [...all];
}

export function receive(news, wanted, anew) {
  names = { ...names, ...news.names };
  exported = news.exports ?? exported;
  filtered = wanted.size > 0;
  if (news.reset) {
    without.clear();
    for (const phone of phones.values()) phone.store = [];
  }
  for (const chat of news.aibot?.chats ?? []) meet(chat);
  for (const message of news.messages) {
    for (const who of message.to) for (const place of placesOf(who)) keep(phoneOf(who, place), message);
  }
  for (const message of news.changed) rewrite(message);
  if (anew) choosePhones(wanted.get("receiver") ?? "");
  for (const message of anew ? news.messages.slice(-1) : news.messages) leaveEmpty(message, anew);
  for (const phone of phones.values()) {
    if (anew) restart(phone);
    else if (news.reset) forget(phone);
    showNew(phone);
  }
  nameButtons();
}

// A chat of the AI bot. The first one takes the place of a phone in which nothing is.
function meet(chat) {
  const isFirst = ![...phones.values()].some((phone) => phone.place === "aibot");
  const phone = phoneOf(`a:${chat.chat}`, "aibot");
  if (!phone) return;
  phone.chat = chat;
  if (!chat.users.includes(phone.viewer) && !Object.hasOwn(names, phone.viewer)) phone.viewer = chat.users[0] ?? phone.viewer;
  nameComposer(phone, names);
  if (!isFirst || phone.on || isNarrow()) return;
  const empty = [...phones.values()].filter((other) => other.on && !other.store.length).at(-1);
  if (empty) empty.on = false;
  phone.on = true;
}

// Drawn anew where it stands; a hand that was on one of its buttons finds it again.
function rewrite(message) {
  for (const phone of phones.values()) {
    const at = phone.store.findIndex(({ number }) => number === message.number);
    if (at < 0) continue;
    phone.store[at] = message;
    const old = phone.list.querySelector(`[data-number="${message.number}"]`);
    if (old) redrawBubble(phone, old, message);
  }
}

function redrawBubble(phone, old, message) {
  const had = old.contains(document.activeElement) ? document.activeElement : undefined;
  const fresh = bubble(phone, message);
  old.replaceWith(fresh);
  if (old === chosen) {
    chosen = undefined;
    choose(fresh);
  }
  if (had) ([...fresh.querySelectorAll("button.press")].find((button) => button.dataset.key === had.dataset.key) ?? fresh).focus();
}

function lookAs(phone, viewer) {
  phone.viewer = viewer;
  for (const old of [...phone.list.children]) {
    const message = phone.store.find(({ number }) => number === Number(old.dataset.number));
    if (message) redrawBubble(phone, old, message);
  }
}

function keep(phone, message) {
  if (!phone) return;
  phone.store.push(message);
  if (phone.store.length > MOST_BUBBLES) phone.store.shift();
  if (!phone.stuck) phone.fresh += 1;
}

function choosePhones(receiver) {
  const who = !receiver || receiver.startsWith("g:") ? receiver : `u:${receiver}`;
  only = who && [...phones.values()].some((phone) => isOf(phone, who)) ? who : "";
  if (!only) return;
  const own = [...phones.values()].filter((phone) => isOf(phone, only));
  if (!isNarrow()) for (const phone of own) phone.on = true;
  else if (!own.some((phone) => phone.on)) turn(own.sort(newestFirst)[0], true);
}

const newestFirst = (one, other) => (other.store.at(-1)?.number ?? 0) - (one.store.at(-1)?.number ?? 0);

// Phones that are all empty leave their places to those with the newest messages when the page is opened. Later, until a
// hand has chosen, one that is empty leaves its place to that of a message that comes.
function leaveEmpty({ to: [who] }, anew) {
  const shown = [...phones.values()].filter(isShown);
  const full = (anew || !picked) && phones.get(`${placesOf(who)[0]}/${who}`);
  const empty = shown.find((phone) => !phone.store.length);
  if (!full || !empty || isShown(full)) return;
  if (!anew) {
    empty.on = false;
    turn(full, true);
    full.button.scrollIntoView({ block: "nearest", inline: "nearest" });
    return;
  }
  if (shown.some((phone) => phone.store.length)) return;
  for (const phone of shown) phone.on = false;
  const isFirst = ({ who, place, store }) => store.length && placesOf(who)[0] === place; // WeChat shows the same again
  const others = [...phones.values()].filter((phone) => isFirst(phone) && phone !== full).sort(newestFirst).slice(0, AT_ONCE - 1);
  for (const phone of isNarrow() ? [] : others) phone.on = true;
  turn(full, true);
  full.button.scrollIntoView({ block: "nearest", inline: "nearest" });
}

export function start() {
  phoneOf("u:sandbox-user", "wecom");
  phoneOf("u:sandbox-user", "wechat");
  phoneOf("g:1", "wecom");
}

export function retell() {
  for (const phone of phones.values()) {
    nameAll(phone);
    restart(phone);
    showNew(phone);
  }
  nameButtons();
}

function phoneOf(who, place) {
  const key = `${place}/${who}`;
  if (!phones.has(key)) {
    if (phones.size >= MOST_PHONES) {
      without.add(key);
      return undefined;
    }
    phones.set(key, build(who, place, phones.size));
  }
  return phones.get(key);
}

function build(who, place, number) {
  const title = make("h3", { id: `phone-${number}` });
  const list = make("ol", { tabindex: "0", class: "stuck" });
  const mark = make("button", { type: "button", class: "mark", hidden: true });
  const hint = make("div", { class: "hint" });
  const element = make("section", { class: `phone ${place}`, "aria-labelledby": title.id, id: `frame-${number}` }, make("header", {}, title), hint, list, mark);
  const button = make("button", { type: "button", "aria-controls": element.id });
  const phone = { who, place, title, list, mark, hint, element, button, store: [], on: number < (isNarrow() ? 1 : AT_ONCE), stuck: true, top: 0, fresh: 0 };
  if (place === "aibot") {
    phone.viewer = who.slice(2);
    phone.composer = buildComposer(phone, (viewer) => lookAs(phone, viewer));
    element.append(phone.composer.form);
  }
  button.addEventListener("click", () => {
    picked = true;
    turn(phone, isNarrow() || !phone.on);
  });
  list.addEventListener("scroll", () => follow(phone), { passive: true });
  list.addEventListener("click", (event) => {
    const bubble = event.target.closest("li[data-number]");
    const file = event.target.closest("button.file");
    const pressed = event.target.closest("button.press");
    if (pressed) press(bubble, pressed, phone.viewer);
    if (file) openFile(bubble.dataset.id, file.lastChild.data);
    if (bubble && !event.target.closest("a, button, label, fieldset") && getSelection().isCollapsed) choose(bubble);
  });
  // By the keyboard: a mouse that is down on a button must find it where it was.
  list.addEventListener("focusin", ({ target }) => { if (target.matches(".meta:focus-visible")) choose(target.closest("li")); });
  mark.addEventListener("click", () => { toEnd(phone); list.focus(); });
  byId("phones").append(element);
  byId("receivers").append(button);
  nameAll(phone);
  return phone;
}

// Where there is room for one, it is one.
function turn(phone, on) {
  if (!phone) return;
  if (on && isNarrow()) for (const other of phones.values()) other.on = false;
  phone.on = on;
  for (const each of phones.values()) showNew(each);
  nameButtons();
}

function nameAll(phone) {
  phone.title.textContent = titleOf(phone);
  phone.list.setAttribute("aria-label", say("messages_of", titleOf(phone)));
  delete phone.hint.dataset.told;
  if (phone.composer) nameComposer(phone, names);
}

function nameButtons() {
  for (const phone of phones.values()) {
    if (phone.title.textContent !== titleOf(phone)) nameAll(phone);
    if (phone.button.textContent !== titleOf(phone)) phone.button.textContent = titleOf(phone);
    phone.button.ariaPressed = String(isShown(phone));
    phone.button.hidden = Boolean(only) && !isOf(phone, only);
  }
  byId("without").textContent = without.size ? say("without", without.size, MOST_PHONES) : "";
}

const GUIDED = {
  empty_bot: ["WECOM_WEBHOOK"],
  empty_app: ["WECOM_CORP_ID", "WECOM_AGENT_ID", "WECOM_SECRET", "WECOM_USERS"],
  empty_aibot: ["WECOM_AIBOT_ID", "WECOM_AIBOT_SECRET", "WECOM_AIBOT_CHATS"],
};

// What an empty phone says: what to do.
function guide(phone) {
  const kind = phone.store.length ? "" : filtered ? "none_fits" : phone.place === "wechat" ? "empty_wechat" : phone.place === "aibot" ? "empty_aibot"
    : !exported ? "empty" : phone.who === "g:1" ? "empty_bot" : phone.who === "u:sandbox-user" ? "empty_app" : "empty";
  if (phone.hint.dataset.told === kind) return;
  phone.hint.dataset.told = kind;
  phone.hint.replaceChildren(...(kind ? [make("p", {}, say(kind))] : []));
  const of = GUIDED[kind];
  if (!of || !exported) return;
  const first = kind === "empty_aibot" ? ["WECOM_AIBOT_URL", `ws://${location.host}/aibot`] : ["WECOM_API_BASE", location.origin];
  const lines = [first, ...of.map((name) => [name, exported[name]])].map(([name, value]) => `export ${name}=${value}\n`).join("");
  const test = "wecom-logging send 'hello'\n";
  const then = kind === "empty_aibot" ? [] : [make("p", {}, say("then_try")), make("pre", { tabindex: "0" }, test)];
  phone.hint.append(make("pre", { tabindex: "0" }, lines), ...then);
}

function restart(phone) {
  phone.list.replaceChildren();
  phone.stuck = true;
  phone.fresh = 0;
}

// Some went away: what is drawn and no longer kept goes, what is looked at stays where it is.
function forget(phone) {
  const kept = new Set(phone.store.map((message) => message.id));
  const oldest = phone.store[0]?.number ?? 0;
  for (const bubble of [...phone.list.children]) {
    if (!kept.has(bubble.dataset.id) && (phone.stuck || Number(bubble.dataset.number) >= oldest)) bubble.remove();
  }
  const last = Number(phone.list.lastElementChild?.dataset.number ?? 0);
  phone.fresh = phone.stuck ? 0 : phone.store.filter((message) => message.number > last).length;
  if (!phone.list.children.length) restart(phone);
}

// Only a phone that is shown is drawn, and of all messages the newest two hundred.
function showNew(phone) {
  phone.element.hidden = !isShown(phone);
  if (phone.element.hidden) return;
  guide(phone);
  if (phone.stuck) {
    const last = Number(phone.list.lastElementChild?.dataset.number ?? 0);
    const fresh = phone.store.filter((message) => message.number > last);
    if (fresh.length) phone.list.append(...fresh.map((message) => bubble(phone, message)));
    if (fresh.length === 1) phone.list.lastElementChild.classList.add("alone"); // each animation is a layer
    while (phone.list.children.length > MOST_BUBBLES) phone.list.firstElementChild.remove();
    if (fresh.length) scrollDown(phone);
  }
  phone.mark.hidden = !phone.fresh;
  if (phone.fresh) phone.mark.textContent = say("fresh", phone.fresh);
}

// Whoever scrolls up stays there; at the end, new messages are followed. A list that grows is no hand that scrolls.
function follow(phone) {
  const { scrollTop, scrollHeight, clientHeight } = phone.list;
  if (scrollHeight - scrollTop - clientHeight < 40) { if (!phone.stuck) toEnd(phone); }
  else if (scrollTop < phone.top - 1) phone.stuck = false;
  phone.top = scrollTop;
  phone.list.classList.toggle("stuck", phone.stuck);
}

function toEnd(phone) {
  phone.stuck = true;
  phone.fresh = 0;
  showNew(phone);
  scrollDown(phone);
}

function scrollDown(phone) {
  if (!phone.stuck) return;
  phone.list.scrollTop = phone.list.scrollHeight;
  phone.top = phone.list.scrollTop;
}

// Bubbles get their size when they come into view, and each that grows moves the end.
const sizes = new ResizeObserver((entries) => {
  const lists = new Set(entries.map(({ target }) => target.parentElement));
  for (const phone of phones.values()) if (lists.has(phone.list)) scrollDown(phone);
});

function bubble(phone, message) {
  const isPerson = message.channel === "person";
  const from = isPerson ? nameOf(`u:${message.user}`) : say(message.channel);
  const nodes = message.faces?.[message.seen[phone.viewer] ?? -1] ?? message.nodes;
  const request = make("button", { type: "button", class: "meta", "aria-label": say("request", message.number) },
    `#${message.number} · ${clock(message.time)}${message.in_all > 1 ? ` · ${say("reached", message.in_all)}` : ""}`);
  request.addEventListener("click", () => onRequest(message.number));
  const head = make("div", { class: "from" }, make("span", {}, from), request);
  const hidden = phone.place === "wechat" && !message.wechat;
  const body = hidden
    ? make("div", { class: "bubble ghost" }, make("strong", {}, say("no_show")), make("span", {}, say("only_wecom", message.msgtype)))
    : make("div", { class: `bubble ${message.msgtype === "text" ? "plain" : "rich"}`, "data-kind": message.msgtype }, ...nodes.map(draw));
  const said = make("div", { class: "said" }, head, body);
  if (message.warning) said.append(make("div", { class: "doubt amber" }, `⚠ ${say("taken_with")}: ${message.warning}`));
  const face = { bot: "🤖", aibot: "✨", person: "👤" }[message.channel] ?? "🔔";
  const item = make("li", { "data-number": message.number, "data-id": message.id, tabindex: "-1", class: isPerson && message.user === phone.viewer ? "mine" : undefined },
    make("div", { class: "face", "aria-hidden": "true" }, face), said);
  sizes.observe(item);
  return item;
}

function choose(bubble) {
  if (chosen === bubble) return;
  if (chosen) {
    chosen.ariaCurrent = null;
    chosen.querySelector(".acts")?.remove();
  }
  chosen = bubble;
  bubble.ariaCurrent = "true";
  const request = make("button", { type: "button" }, say("show_request"));
  request.addEventListener("click", () => onRequest(Number(bubble.dataset.number)));
  const away = make("button", { type: "button", class: "danger" }, say("delete"));
  away.addEventListener("click", () => remove(bubble));
  const composer = [...phones.values()].find(({ list }) => list.contains(bubble))?.composer;
  const quote = make("button", { type: "button" }, say("quote"));
  quote.addEventListener("click", () => { quoteThis(composer, bubble.dataset.id, bubble.querySelector(".bubble").textContent); composer.text.focus(); });
  bubble.querySelector(".said").append(make("div", { class: "acts", role: "group", "aria-label": say("acts", bubble.dataset.number) }, request, ...(composer ? [quote] : []), away));
}

function remove(bubble) {
  (bubble.nextElementSibling ?? bubble.previousElementSibling ?? bubble.parentElement).focus();
  const id = bubble.dataset.id;
  bubble.remove();
  ask("DELETE", `/sandbox/messages/${id}`);
}
