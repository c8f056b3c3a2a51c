// A phone for each receiver: a member in WeCom, the same member in WeChat, and the group of each bot.

import { byId, clock, draw, make } from "./dom.js";
import { say } from "./words.js";

const MOST_BUBBLES = 200;
const MOST_PHONES = 24;
const AT_ONCE = 3;

const phones = new Map();
const without = new Set(); // phones that are not drawn
let names = {};
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

export function receive(news) {
  names = { ...names, ...news.names };
  if (news.reset) {
    without.clear();
    for (const phone of phones.values()) phone.store = [];
  }
  for (const message of news.messages) {
    for (const who of message.to) {
      phoneOf(who, "wecom")?.store.push(message);
      if (who.startsWith("u:")) phoneOf(who, "wechat")?.store.push(message);
    }
  }
  for (const phone of phones.values()) showNew(phone, news.reset);
  nameButtons();
}

export function start() {
  phoneOf("u:sandbox-user", "wecom");
  phoneOf("u:sandbox-user", "wechat");
  phoneOf("g:1", "wecom");
}

export function retell() {
  for (const phone of phones.values()) {
    nameAll(phone);
    phone.list.replaceChildren();
    phone.shown = 0;
    showNew(phone, false);
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
  const list = make("ol", { tabindex: "0" });
  const element = make("section", { class: `phone ${place}`, "aria-labelledby": title.id }, make("header", {}, title), list);
  const button = make("button", { type: "button", "aria-pressed": "true", "aria-controls": `frame-${number}` });
  element.id = `frame-${number}`;
  const phone = { who, place, title, list, element, button, store: [], shown: 0, stuck: true, top: 0 };
  button.addEventListener("click", () => turn(phone, element.hidden));
  list.addEventListener("scroll", () => follow(phone), { passive: true });
  byId("phones").append(element);
  byId("receivers").append(button);
  turn(phone, number < AT_ONCE);
  nameAll(phone);
  return phone;
}

function turn(phone, on) {
  phone.element.hidden = !on;
  phone.button.setAttribute("aria-pressed", String(on));
  if (on) showNew(phone, false);
}

function nameAll(phone) {
  phone.title.textContent = titleOf(phone);
  phone.list.setAttribute("aria-label", say("messages_of", titleOf(phone)));
  phone.list.dataset.empty = say("empty");
}

function nameButtons() {
  for (const phone of phones.values()) {
    if (phone.title.textContent !== titleOf(phone)) nameAll(phone);
    phone.button.textContent = titleOf(phone);
  }
  byId("without").textContent = without.size ? say("without", without.size, MOST_PHONES) : "";
}

// Only a phone that is on is drawn, and of all messages the newest two hundred.
function showNew(phone, reset) {
  if (reset) {
    phone.list.replaceChildren();
    phone.shown = 0;
  }
  if (phone.store.length > MOST_BUBBLES) phone.store.splice(0, phone.store.length - MOST_BUBBLES);
  if (phone.element.hidden) return;
  const fresh = phone.store.filter((message) => message.number > phone.shown);
  if (!fresh.length) return;
  phone.list.append(...fresh.map((message) => bubble(phone, message)));
  phone.shown = fresh.at(-1).number;
  while (phone.list.children.length > MOST_BUBBLES) phone.list.firstElementChild.remove();
  scrollDown(phone);
}

// Whoever scrolls up stays there; at the end, new messages are followed. A list that grows is no hand that scrolls.
function follow(phone) {
  const { scrollTop, scrollHeight, clientHeight } = phone.list;
  if (scrollHeight - scrollTop - clientHeight < 40) phone.stuck = true;
  else if (scrollTop < phone.top - 1) phone.stuck = false;
  phone.top = scrollTop;
  phone.list.classList.toggle("stuck", phone.stuck);
}

// Twice: bubbles get their size when they come into view.
function scrollDown(phone) {
  for (const later of [(then) => then(), requestAnimationFrame]) {
    later(() => {
      if (!phone.stuck) return;
      phone.list.scrollTop = phone.list.scrollHeight;
      phone.top = phone.list.scrollTop;
    });
  }
}

function bubble(phone, message) {
  const from = say(message.channel === "bot" ? "bot" : "app");
  const request = make("button", { type: "button", class: "meta", "aria-label": say("request", message.number) },
    `#${message.number} · ${clock(message.time)}${message.in_all > 1 ? ` · ${say("reached", message.in_all)}` : ""}`);
  request.addEventListener("click", () => onRequest(message.number));
  const head = make("div", { class: "from" }, make("span", {}, from), request);
  const hidden = phone.place === "wechat" && !message.wechat;
  const body = hidden
    ? make("div", { class: "bubble ghost" }, make("strong", {}, say("no_show")), make("span", {}, say("only_wecom", message.msgtype)))
    : make("div", { class: `bubble ${message.msgtype === "text" ? "plain" : "rich"}`, "data-kind": message.msgtype }, ...message.nodes.map(draw));
  return make("li", { "data-number": message.number }, make("div", { class: "face", "aria-hidden": "true" }, message.channel === "bot" ? "🤖" : "🔔"), make("div", { class: "said" }, head, body));
}
