// What was searched for, in the bubbles. It is painted, nothing is changed in the document.

import { byId } from "./dom.js";

const MOST = 2000;

export function paint(text) {
  if (!CSS.highlights) return;
  CSS.highlights.delete("found");
  const ranges = text ? [...findAll(text.toLowerCase())] : [];
  if (ranges.length) CSS.highlights.set("found", new Highlight(...ranges));
}

function* findAll(text) {
  const walker = document.createTreeWalker(byId("phones"), NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(), left = MOST; node && left > 0; node = walker.nextNode()) {
    const low = node.data.toLowerCase();
    if (low.length !== node.length || !node.parentElement.closest(".bubble")) continue;
    for (let at = low.indexOf(text); at >= 0 && left > 0; at = low.indexOf(text, at + text.length), left -= 1) {
      yield new StaticRange({ startContainer: node, startOffset: at, endContainer: node, endOffset: at + text.length });
    }
  }
}
