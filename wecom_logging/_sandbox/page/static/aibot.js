// The AI bot's chat: as whom one looks at it, what one presses on its cards, and a line to write in.

import { make } from "./dom.js";
import { ask } from "./link.js";
import { say } from "./words.js";

// The members of the chat; in a group also others, who are in it as soon as they write.
function peopleOf(phone, names) {
  const inside = phone.chat?.users ?? [phone.who.slice(2)];
  return phone.chat?.group ? [...new Set([...inside, ...Object.keys(names)])] : inside;
}

// What was made for a phone of the AI bot: `as` is there in groups only.
export function buildComposer(phone, onViewer) {
  const as = make("select", { hidden: true });
  const text = make("input", { type: "text", autocomplete: "off", maxlength: "4000" });
  const send = make("button", {});
  const quote = make("button", { type: "button", class: "quoted", hidden: true });
  const trouble = make("p", { role: "alert", class: "trouble" });
  const form = make("form", { class: "composer" }, as, quote, text, send, trouble);
  const composer = { form, as, text, send, quote, trouble, quoted: "", people: "" };
  as.addEventListener("change", () => onViewer(as.value));
  quote.addEventListener("click", () => { quoteThis(composer, "", ""); text.focus(); });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const said = text.value.trim();
    if (!said) return;
    const answer = await ask("POST", "/sandbox/aibot/say", { chat: phone.who.slice(2), user_id: phone.viewer, text: said, quote: composer.quoted });
    trouble.textContent = outcome(answer, "unheard");
    if (answer.error || text.value.trim() !== said) return; // the next is being written
    text.value = "";
    quoteThis(composer, "", "");
  });
  return composer;
}

export function nameComposer(phone, names) {
  const { as, text, send, quote, form } = phone.composer;
  const people = peopleOf(phone, names);
  const options = people.map((id) => [id, Object.hasOwn(names, id) ? names[id] : id]);
  const told = JSON.stringify(options);
  if (told !== phone.composer.people) {
    phone.composer.people = told;
    as.replaceChildren(...options.map(([id, name]) => make("option", { value: id }, name)));
    as.value = phone.viewer;
  }
  as.hidden = !phone.chat?.group;
  as.ariaLabel = say("as");
  text.ariaLabel = say("write");
  text.placeholder = say(phone.chat?.group ? "write_group" : "write");
  send.textContent = say("send");
  quote.ariaLabel = say("no_quote");
  form.ariaLabel = `${say("write")}: ${phone.title.textContent}`;
}

export function quoteThis(composer, id, text) {
  composer.quoted = id;
  composer.quote.hidden = !id;
  composer.quote.textContent = `❝ ${text.trim().slice(0, 60)} ✕`;
}

// A press of a card's button, with whatever is chosen on the card.
export async function press(bubble, button, viewer) {
  const selected = {};
  for (const control of bubble.querySelectorAll("select.choice")) selected[control.dataset.question] = control.value;
  for (const group of bubble.querySelectorAll("fieldset.vote")) {
    selected[group.dataset.question] = [...group.querySelectorAll("input:checked")].map((box) => box.value);
  }
  const asks = button.closest(".buttons") ? selected : {};
  let told = bubble.querySelector(".outcome");
  if (!told) button.closest(".bubble").after(told = make("p", { class: "outcome", role: "status" }));
  const answer = await ask("POST", "/sandbox/aibot/click", { card: bubble.dataset.id, user_id: viewer, key: button.dataset.key, selected: asks });
  told.textContent = outcome(answer, "lost_click");
}

const outcome = (answer, lost) => (answer.error ? `${say("refused_order")}: ${answer.error}` : answer.req_id ? "" : say(lost));
