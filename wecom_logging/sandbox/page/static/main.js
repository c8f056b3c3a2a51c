import { note, redraw, setUpCalls, showRequest } from "./calls.js";
import { drawChart } from "./chart.js";
import { byId } from "./dom.js";
import { buildFaults, drawFaults } from "./faults.js";
import { ask, listen } from "./link.js";
import { nameOf, receive, retell, setUpPhones, start } from "./phones.js";
import { drawLimits, drawTokens } from "./standing.js";
import { say, switchLanguage, translate } from "./words.js";

const QUIET_MS = 2000;

let last;
let state = "lost";
let untold = 0;
let told = 0;

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
  untold += news.messages.length;
  if (performance.now() - told < QUIET_MS) return;
  byId("announcer").textContent = say("new_messages", untold, nameOf(news.messages.at(-1).to[0]));
  told = performance.now();
  untold = 0;
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
listen(show, (now) => { state = now; drawState(); });
