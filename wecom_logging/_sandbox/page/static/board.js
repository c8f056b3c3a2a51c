// What stands above the phones: one that rings, texts that somebody put there, heartbeats.

import { byId, clock, make } from "./dom.js";
import { ask } from "./link.js";
import { nameOf, TURNS } from "./phones.js";
import { say } from "./words.js";

const HOW = { answer: "style-1", refuse: "style-3", no_answer: "", off: "" };
const SHOWN = 3; // of the calls that are over

const drawn = {}; // what stands there: else a button under a finger would go away each second

export function drawBoard(news) {
  draw("ringing", news.rings.map(({ callid, user_id, reason }) => [callid, reason, nameOf(`u:${user_id}`)]), () => {
    const now = news.rings.filter(({ reason }) => reason === 1);
    const over = news.rings.filter(({ reason }) => reason !== 1).slice(0, SHOWN);
    return [...now.map(ringing), ...over.map((ring) => make("p", { class: "quiet" }, `☎ ${told(ring)}`))];
  });
  draw("panels", news.panels, () => news.panels.map(({ title, text }) =>
    make("article", { class: "panel" }, make("h3", {}, title.replace(TURNS, "")), make("pre", { tabindex: "0" }, text.replace(TURNS, "")))));
  draw("heartbeats", news.heartbeats, () => news.heartbeats.map(({ name, count, last, late }) =>
    make("li", { class: late ? "bad" : "good" }, `${late ? "✗" : "♥"} ${name.replace(TURNS, "")}: ${say(late ? "beat_late" : "beat", count, clock(last))}`)));
}

// The one that rings is heard by a screen reader, too.
export function heardCall(news, before) {
  const known = new Set((before?.rings ?? []).map(({ callid }) => callid));
  const ring = news.rings.find(({ callid, reason }) => reason === 1 && !known.has(callid));
  return ring ? say("rings", nameOf(`u:${ring.user_id}`)) : "";
}

function draw(id, about, build) {
  const key = JSON.stringify([say("language"), about]);
  if (drawn[id] === key) return;
  drawn[id] = key;
  byId(id).replaceChildren(...build());
}

const told = ({ user_id, calltime, reason }) => `${clock(calltime)} ${nameOf(`u:${user_id}`)}: ${say("call_reason", reason)}`;

function ringing(ring) {
  const trouble = make("p", { role: "alert", class: "trouble" });
  const buttons = Object.entries(HOW).map(([how, style]) => {
    const button = make("button", { type: "button", class: style }, say(`call_${how}`));
    button.addEventListener("click", async () => {
      const answer = await ask("POST", "/sandbox/rings", { user_id: ring.user_id, how });
      trouble.textContent = answer.error ?? "";
    });
    return button;
  });
  const title = say("rings", nameOf(`u:${ring.user_id}`));
  return make("div", { class: "ringing", role: "group", "aria-label": title }, make("p", {}, make("span", { "aria-hidden": "true", class: "bell" }, "📞"), ` ${title}`),
    make("div", { class: "buttons" }, ...buttons), trouble);
}
