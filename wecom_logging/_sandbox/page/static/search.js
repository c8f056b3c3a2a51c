// The filter. It stands in the address of the page, with the names that GET /sandbox/messages has, too.

import { byId, make } from "./dom.js";
import { say } from "./words.js";

const NAMES = ["contains", "not_contains", "channel", "receiver", "level", "msgtype", "since", "until"];
const CHOICES = {
  channel: ["app", "bot", "aibot", "person"],
  level: ["critical", "error", "warning", "info", "debug", "over"],
  msgtype: ["text", "markdown", "markdown_v2", "textcard", "news", "mpnews", "template_card", "stream", "image", "file", "voice", "video", "miniprogram_notice"],
};
const TYPING_MS = 200;

let fields = {};
let onChange = () => {};
let typing;
let people = "";

export function filter() {
  const wanted = new URLSearchParams();
  const given = new URLSearchParams(location.search);
  for (const name of NAMES) if (given.get(name)) wanted.set(name, given.get(name));
  return wanted;
}

export function setUpSearch(then) {
  onChange = then;
  const form = byId("search");
  form.addEventListener("submit", (event) => { event.preventDefault(); apply(); });
  form.addEventListener("reset", (event) => { event.preventDefault(); clearFilter(); });
  byId("contains").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(apply, TYPING_MS); });
  byId("more").addEventListener("click", () => open(byId("more").ariaExpanded !== "true"));
  addEventListener("popstate", () => { fill(); onChange(); });
  open([...filter().keys()].some((name) => name !== "contains"));
}

function clearFilter() {
  byId("contains").value = "";
  for (const control of Object.values(fields)) control.value = "";
  apply();
}

function open(yes) {
  byId("more").ariaExpanded = String(yes);
  byId("fields").classList.toggle("open", yes);
}

export function buildSearch() {
  fields = {};
  for (const [name, values] of Object.entries(CHOICES)) fields[name] = choice(name, values);
  fields.receiver = choice("receiver", []);
  for (const name of ["since", "until"]) fields[name] = make("input", { type: "datetime-local", step: "1" });
  fields.not_contains = make("input", { type: "text", autocomplete: "off", maxlength: "500" });
  for (const control of Object.values(fields)) control.addEventListener("change", apply);
  byId("fields").replaceChildren(...["not_contains", "receiver", "channel", "level", "msgtype", "since", "until"].map((name) =>
    make("label", {}, make("span", {}, say(`filter_${name}`)), fields[name])));
  people = "";
  fill();
}

function choice(name, values) {
  return make("select", {}, make("option", { value: "" }, say("any")), ...values.map((value) => make("option", { value }, say(`${name}_${value}`) ?? value)));
}

// Members come and go; whom the address names is in the list, known or not.
export function offer(receivers) {
  const told = JSON.stringify(receivers);
  if (told === people) return;
  people = told;
  const chosen = filter().get("receiver") ?? "";
  const options = new Map(receivers);
  if (chosen && !options.has(chosen)) options.set(chosen, chosen);
  fields.receiver.replaceChildren(make("option", { value: "" }, say("any")), ...[...options].map(([value, name]) => make("option", { value }, name)));
  fields.receiver.value = chosen;
}

function fill() {
  const wanted = filter();
  byId("contains").value = wanted.get("contains") ?? "";
  for (const [name, control] of Object.entries(fields)) {
    const value = wanted.get(name) ?? "";
    if (control.type === "datetime-local") control.value = local(value);
    else {
      if (value && control.options && ![...control.options].some((option) => option.value === value)) control.append(make("option", { value }, value));
      control.value = value;
    }
  }
  byId("no-filter").hidden = !wanted.size;
}

function apply() {
  clearTimeout(typing);
  const wanted = new URLSearchParams();
  const values = { contains: byId("contains").value.trim() };
  for (const [name, control] of Object.entries(fields)) values[name] = control.type === "datetime-local" ? seconds(control.value) : control.value;
  for (const name of NAMES) if (values[name]) wanted.set(name, values[name]);
  if (String(wanted) === String(filter())) return;
  history.replaceState(null, "", wanted.size ? `?${wanted}` : location.pathname);
  byId("no-filter").hidden = !wanted.size;
  onChange();
}

const seconds = (text) => { const at = new Date(text).getTime(); return Number.isFinite(at) ? String(at / 1000) : ""; };

function local(text) {
  const at = new Date(Number(text) * 1000);
  if (!text || !Number.isFinite(at.getTime())) return "";
  return new Date(at - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
