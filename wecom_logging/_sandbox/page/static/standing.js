// How things stand: the rate limits' windows as they fill, and the tokens as they grow old.

import { byId, make } from "./dom.js";
import { nameOf } from "./phones.js";
import { say } from "./words.js";

export function drawLimits(news) {
  const apps = new Set(news.limits.map(({ agent_id }) => agent_id).filter(Boolean));
  const rows = news.limits.map(({ who, agent_id, used, count, period_s }) => {
    const of = who.startsWith("a:") ? say("aibot") : agent_id && apps.size > 1 ? say("app_token", agent_id) : "";
    const whose = of ? `${nameOf(who)} · ${of}` : nameOf(who);
    const name = say("per", whose, say("span", period_s));
    const meter = make("meter", { min: "0", max: String(count), low: String(count * 0.6), high: String(count * 0.9), optimum: "0", value: String(used), "aria-label": name });
    return make("div", { class: "limit" }, make("span", {}, name), meter, make("span", { class: "figure" }, `${used} / ${count}`));
  });
  byId("limits").replaceChildren(...(rows.length ? rows : [make("p", { class: "quiet" }, say("no_limits"))]));
}

export function drawTokens(news) {
  const rows = news.tokens.map(({ agent_id, print, age_s, left_s, current }) =>
    make("li", { class: current ? "" : "quiet" },
      make("b", {}, agent_id === null ? say("contacts") : say("app_token", agent_id)), ` #${print} · ${say(current ? "current" : "former")} · `,
      left_s > 0 ? say("age", say("span", age_s), say("span", left_s)) : say("over")));
  byId("tokens").replaceChildren(rows.length ? make("ul", {}, ...rows) : make("p", { class: "quiet" }, say("no_tokens")));
}
