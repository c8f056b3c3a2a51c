import { note, redraw, setUpCalls, showRequest } from "./calls.js";
import { drawChart } from "./chart.js";
import { byId } from "./dom.js";
import { buildFaults, drawFaults } from "./faults.js";
import { ask, listen } from "./link.js";
import { nameOf, receive, retell, setUpPhones, start } from "./phones.js";
import { drawLimits, drawTokens } from "./standing.js";
import { say, switchLanguage, translate } from "./words.js";

const QUIET_MS = 2000;
const GATHER_MS = 100;
const SHARE = 4; // in a storm the page draws a quarter of the time, and answers in the rest
const MOST = 200;

let last;
let state = "lost";
let waiting; // news that are not drawn yet
let rest = 0; // no drawing before
let untold = [];
let told = -QUIET_MS;

function hear(news) {
  if (waiting && !news.reset) {
    news.reset = waiting.reset;
    news.messages = [...waiting.messages, ...news.messages].slice(-MOST);
    news.calls = [...waiting.calls, ...news.calls].slice(-MOST);
    news.names = { ...waiting.names, ...news.names };
  }
  if (!waiting) setTimeout(drawNews, Math.max(0, rest - performance.now()));
  waiting = news;
}

function drawNews() {
  const began = performance.now();
  const news = waiting;
  waiting = undefined;
  show(news);
  rest = performance.now() + Math.max(GATHER_MS, SHARE * (performance.now() - began));
}

function show(news) {
  last = { ...news, reset: false, messages: [], calls: [] };
  receive(news);
  note(news);
  drawState();
  announce(news);
}

function drawState() {
  byId("language").textContent = say("language");
  byId("language").lang = say("language") === "中文" ? "zh" : "en";
  const standing = byId("standing");
  const text = state === "live" && last ? `${say("live")} · ${say("stands", last.kept.messages, last.kept.most)}` : say(state);
  standing.dataset.state = state;
  if (standing.textContent !== text) standing.textContent = text;
  if (!last) return;
  drawChart(last);
  drawLimits(last);
  drawTokens(last);
  drawFaults(last);
}

// A screen reader hears of new messages, in a storm every two seconds.
function announce(news) {
  if (news.reset || !news.messages.length) return;
  if (!untold.length) setTimeout(speak, Math.max(0, told + QUIET_MS - performance.now()));
  untold.push(...news.messages);
}

function speak() {
  byId("announcer").textContent = say("new_messages", untold.length, nameOf(untold.at(-1).to[0]));
  told = performance.now();
  untold = [];
}

byId("language").addEventListener("click", () => {
  switchLanguage();
  translate();
  buildFaults();
  retell();
  redraw();
  drawState();
});
byId("clear").addEventListener("click", () => ask("DELETE", "/sandbox/messages"));

translate();
setUpPhones(showRequest);
setUpCalls();
buildFaults();
start();
drawState();
listen(hear, (now) => { state = now; drawState(); });
