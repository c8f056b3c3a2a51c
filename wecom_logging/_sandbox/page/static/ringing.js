// What stands above the phones: one that rings, and how the last calls ended.

import { byId, clock, make } from "./dom.js";
import { ask } from "./link.js";
import { nameOf } from "./phones.js";
import { say } from "./words.js";

const HOW = { answer: "style-1", refuse: "style-3", no_answer: "", off: "" };
const SHOWN = 3; // of the calls that are over

let drawn = ""; // what stands there: else a button under a finger would go away each second

export function drawRings(news) {
  const key = JSON.stringify([say("language"), news.rings.map(({ callid, user_id, reason }) => [callid, reason, nameOf(`u:${user_id}`)])]);
  if (drawn === key) return;
  drawn = key;
  const now = news.rings.filter(({ reason }) => reason === 1);
  const over = news.rings.filter(({ reason }) => reason !== 1).slice(0, SHOWN);
  byId("ringing").replaceChildren(...now.map(ringing), ...over.map((ring) => make("p", { class: "quiet" }, `☎ ${told(ring)}`)));
}

// The one that rings is heard by a screen reader, too.
export function heardCall(news, before) {
  const known = new Set((before?.rings ?? []).map(({ callid }) => callid));
  const ring = news.rings.find(({ callid, reason }) => reason === 1 && !known.has(callid));
  return ring ? say("rings", nameOf(`u:${ring.user_id}`)) : "";
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
