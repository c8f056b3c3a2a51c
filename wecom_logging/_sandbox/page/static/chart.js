// Two minutes as bars, a second each: what was delivered below, what failed and what was discarded on top.

import { byId, make } from "./dom.js";
import { say } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const SECONDS = 120;
const WIDTH = 480;
const HEIGHT = 110;
const BASE = 92;

function shape(tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

export function drawChart(news) {
  const now = Math.floor(news.now);
  const peak = Math.max(1, ...news.beats.map(([, d, f, x]) => d + f + x));
  const top = niceAbove(peak);
  const step = WIDTH / SECONDS;
  const sums = [0, 0, 0];
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", class: "chart" });
  for (const share of [0.5, 1]) {
    const y = BASE - share * (BASE - 12);
    svg.append(shape("line", { x1: 0, x2: WIDTH, y1: y, y2: y, class: "grid" }));
    if (top * share >= 1 && Number.isInteger(top * share)) svg.append(shape("text", { x: 2, y: y - 2 }, `${top * share}/s`));
  }
  for (const [second, ...counts] of news.beats) {
    const x = WIDTH - (now - second + 1) * step;
    let y = BASE;
    counts.forEach((count, kind) => {
      sums[kind] += count;
      if (!count) return;
      const height = (count / top) * (BASE - 12);
      y -= height;
      svg.append(shape("rect", { x: x + 0.4, y, width: step - 0.8, height, class: ["delivered", "failed", "discarded"][kind] }));
    });
  }
  svg.append(shape("line", { x1: 0, x2: WIDTH, y1: BASE, y2: BASE, class: "axis" }));
  for (const [ago, anchor] of [[120, "start"], [90, "middle"], [60, "middle"], [30, "middle"], [0, "end"]]) {
    svg.append(shape("text", { x: WIDTH - ago * step, y: HEIGHT - 4, "text-anchor": anchor }, ago ? `−${ago} s` : "0"));
  }
  svg.setAttribute("aria-label", say("chart_text", ...sums, news.beats.length ? peak : 0));
  byId("chart").replaceChildren(svg);
  byId("legend").replaceChildren(...["delivered", "failed", "discarded"].map((kind, n) =>
    make("span", { class: kind }, make("i", { "aria-hidden": "true" }), `${say(kind)} ${news.sums[n]}`)));
}

function niceAbove(peak) {
  const size = 10 ** Math.floor(Math.log10(peak));
  return [1, 2, 4, 6, 8, 10].map((n) => n * size).find((n) => n >= peak);
}
