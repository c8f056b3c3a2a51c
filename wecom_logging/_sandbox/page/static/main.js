import { note, redraw, setUpCalls, showRequest } from "./calls.js";
import { byId } from "./dom.js";
import { buildFaults, drawFaults } from "./faults.js";
import { paint } from "./found.js";
import { ask, listen, save } from "./link.js";
import { nameOf, receive, receivers, retell, setUpPhones, start } from "./phones.js";
import { drawRings, heardCall } from "./ringing.js";
import { buildSearch, filter, offer, setUpSearch } from "./search.js";
import { setUpViewer } from "./viewer.js";
import { setUpViews } from "./views.js";
import { say, switchLanguage, translate } from "./words.js";

const QUIET_MS = 2000;
const GATHER_MS = 100;
const SHARE = 4; // in a storm the page draws a quarter of the time, and answers in the rest
const MOST = 200;
const AWAY_MS = 3000;

let last;
let state = "lost";
let why = ""; // what the sandbox says of a filter that makes no sense
let anew = true; // the next news are the first of a filter
let found = 0;
let waiting; // news that are not drawn yet
let drawing = false; // or about to
let rest = 0; // no drawing before
let untold = [];
let told = -QUIET_MS;
let away;

function hear(news) {
  if (waiting && !news.reset) {
    news.reset = waiting.reset;
    news.exports ??= waiting.exports;
    news.messages = [...waiting.messages, ...news.messages].slice(-MOST);
    news.changed = [...waiting.changed, ...news.changed];
    news.calls = [...waiting.calls, ...news.calls].slice(-MOST);
    news.names = { ...waiting.names, ...news.names };
  }
  waiting = news;
  if (!drawing) soon();
}

function soon() {
  drawing = true;
  setTimeout(drawNews, Math.max(0, rest - performance.now()));
}

// A hand comes in between.
const pause = () => new Promise((then) => { setTimeout(then); });

async function drawNews() {
  const began = performance.now();
  const news = waiting;
  waiting = undefined;
  if (news) await show(news); // none, where the filter has changed meanwhile
  rest = performance.now() + Math.max(GATHER_MS, SHARE * (performance.now() - began));
  if (waiting) soon();
  else drawing = false;
}

async function show(news) {
  const called = heardCall(news, last);
  last = { ...news, reset: false, messages: [], changed: [], calls: [] };
  found = (news.reset ? 0 : found) + news.messages.length;
  receive(news, filter(), anew && news.reset);
  if (news.reset) anew = false;
  offer(receivers());
  if (news.reset || news.messages.length || news.changed.length) paint(filter().get("contains") ?? "");
  announce(news);
  if (called) byId("announcer").textContent = called;
  await pause();
  note(news);
  await pause();
  drawState();
}

function drawState() {
  byId("language").textContent = say("language");
  byId("language").lang = say("language") === "中文" ? "zh" : "en";
  const standing = byId("standing");
  const text = state === "live" && last ? `${say("live")} · ${say("stands", last.kept)}` : say(state, why);
  byId("found").hidden = !filter().size || state !== "live";
  byId("found").textContent = say("found", found, MOST);
  standing.dataset.state = state;
  if (standing.textContent !== text) standing.textContent = text;
  if (!last) return;
  drawRings(last);
  drawFaults(last);
}

// A screen reader hears of new messages, in a storm every two seconds.
function announce(news) {
  if (news.reset && filter().size) byId("announcer").textContent = say("found", found, MOST);
  if (news.reset) return;
  if (!news.messages.length) {
    if (news.changed.length) byId("announcer").textContent = say("card_changed", nameOf(news.changed.at(-1).to[0]));
    return;
  }
  if (!untold.length) setTimeout(speak, Math.max(0, told + QUIET_MS - performance.now()));
  untold.push(...news.messages);
}

function speak() {
  byId("announcer").textContent = say("new_messages", untold.length, nameOf(untold.at(-1).to[0]));
  told = performance.now();
  untold = [];
}

// A tab that is not looked at has no stream: it asks now and then, and its title says what came meanwhile.
function countUnread() {
  clearInterval(away);
  document.title = say("title");
  if (!document.hidden) return;
  let seen = last?.messages_in_all;
  away = setInterval(async () => {
    const { kept } = await ask("GET", "/sandbox/health");
    if (!kept || !document.hidden) return;
    seen ??= kept.messages.in_all;
    const unread = kept.messages.in_all - seen;
    document.title = unread > 0 ? `(${unread}) ${say("title")}` : say("title");
  }, AWAY_MS);
}

function setLanguage() {
  translate();
  buildSearch();
  buildFaults();
}

byId("language").addEventListener("click", () => {
  switchLanguage();
  setLanguage();
  retell();
  redraw();
  drawState();
});
byId("clear").addEventListener("click", () => {
  byId("ask-clear-text").textContent = say("ask_clear", last?.kept.messages ?? 0);
  byId("ask-clear").showModal();
});
byId("ask-clear").addEventListener("close", ({ target }) => {
  if (target.returnValue === "yes") ask("DELETE", "/sandbox/messages");
  target.returnValue = "";
});
byId("download").addEventListener("click", () => {
  const wanted = filter();
  save(`/sandbox/messages.jsonl${wanted.size ? `?${wanted}` : ""}`);
});

setUpPhones((message) => { byId("announcer").textContent = showRequest(message); });
setUpCalls();
setUpViewer();
setUpViews();
setUpSearch(() => again());
setLanguage();
document.addEventListener("visibilitychange", countUnread);
countUnread();
start();
drawState();
const again = (() => {
  const restart = listen(filter, hear, (now, text = "") => { state = now; why = text; drawState(); });
  return () => { anew = true; waiting = undefined; restart(); };
})();
