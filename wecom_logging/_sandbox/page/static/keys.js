// The keyboard: / arrows Enter Delete ? Escape.

import { byId, make } from "./dom.js";
import { move, remove, showRequestOf } from "./phones.js";
import { clearFilter } from "./search.js";
import { show } from "./views.js";
import { say } from "./words.js";

const KEYS = ["/", "↑ ↓", "← →", "Enter", "Delete", "Tab", "Esc", "?"];

export function setUpKeys() {
  document.addEventListener("keydown", pressed);
  byId("help").addEventListener("click", () => byId("keys").showModal());
}

export function buildKeys() {
  byId("keys-list").replaceChildren(...KEYS.flatMap((key) => [make("dt", {}, ...key.split(" ").map((one) => make("kbd", {}, one))), make("dd", {}, say(`key_${key}`))]));
}

const STEPS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

function pressed(event) {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector("dialog[open]")) return;
  if (target.closest("input, select, textarea")) {
    if (target.id !== "contains") return;
    if (key === "Escape") clearFilter();
    else if (key === "ArrowDown") move(0, 1);
    else return;
  } else if (key === "/") {
    show("phones");
    byId("contains").select();
  } else if (key === "?") {
    byId("keys").showModal();
  } else if (key in STEPS && !target.closest("#inspector")) {
    if (!move(...STEPS[key])) return;
  } else if (key === "Enter" && target.matches("li[data-number]")) {
    showRequestOf(target);
  } else if (key === "Delete" && target.closest(".phone li[data-number]")) {
    remove(target.closest("li[data-number]"));
  } else {
    return;
  }
  event.preventDefault();
}
