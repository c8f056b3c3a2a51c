// Where there is no room for both, the phones or the inspector.

import { byId } from "./dom.js";

// Room for one phone.
export const isNarrow = () => matchMedia("(max-width: 40rem)").matches;

const buttons = () => document.querySelectorAll("#views button");

export function setUpViews() {
  for (const button of buttons()) button.addEventListener("click", () => show(button.dataset.view));
  document.querySelector(".skip").addEventListener("click", () => show("inspector"));
}

export function show(view) {
  document.querySelector(".columns").dataset.view = view;
  for (const button of buttons()) button.ariaCurrent = String(button.dataset.view === view);
  if (view === "inspector") byId("inspector").scrollTop = 0;
}
