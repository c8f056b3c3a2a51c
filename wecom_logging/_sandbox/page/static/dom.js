// Elements. Whatever comes from a message becomes a text node; a kind that is not in the table becomes a <span>.

const TAGS = {
  p: "p", text: "p", b: "strong", i: "em", s: "s", code: "code", pre: "pre", hr: "hr", a: "a", quote: "blockquote",
  ul: "ul", ol: "ol", li: "li", table: "table", thead: "thead", tbody: "tbody", tr: "tr", th: "th", td: "td",
  title: "div", more: "div", article: "div", picture: "div", file: "button", row: "div", big: "div", gray: "div",
  h1: "div", h2: "div", h3: "div", h4: "div", h5: "div", h6: "div", buttons: "div", tasks: "div",
};
const CLASSES = new Set([
  "text", "quote", "title", "more", "article", "picture", "file", "row", "big", "gray", "normal", "highlight", "sign",
  "mention", "info", "comment", "warning", "h1", "h2", "h3", "h4", "h5", "h6", "buttons", "tasks",
]);

let votes = 0; // radio buttons of one name are one question

// The controls of a card that answers back.
const CONTROLS = {
  press: ({ key, style }, label) => make("button", { type: "button", class: `press style-${Number(style)}`, "data-key": key }, label),
  choice: ({ question, title, first, options }) => {
    const select = make("select", { class: "choice", "data-question": question, "aria-label": title || question }, ...options.map(([value, text]) => make("option", { value }, text)));
    if (options.some(([value]) => value === first)) select.value = first;
    return make("label", { class: "asked" }, make("span", {}, title), select);
  },
  vote: ({ question, many, checked, options }, label, name = `vote-${votes += 1}`) => make("fieldset", { class: "vote", "data-question": question }, ...options.map(([value, text]) => {
    const box = make("input", { type: many ? "checkbox" : "radio", name, value });
    box.checked = checked.includes(value);
    return make("label", {}, box, make("span", {}, text));
  })),
};

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export function draw(node) {
  if (typeof node === "string") return document.createTextNode(node);
  const [kind, attributes, ...children] = node;
  if (Object.hasOwn(CONTROLS, kind)) return CONTROLS[kind](attributes, children.filter((child) => typeof child === "string").join(""));
  const element = document.createElement(Object.hasOwn(TAGS, kind) ? TAGS[kind] : "span");
  if (CLASSES.has(kind)) element.className = kind;
  if (kind === "a" && /^https?:\/\//i.test(attributes.href)) {
    element.setAttribute("href", attributes.href);
    element.setAttribute("target", "_blank");
    element.setAttribute("rel", "noopener noreferrer");
  }
  if (kind === "file") element.type = "button";
  if (/^h[1-6]$/.test(kind)) {
    element.setAttribute("role", "heading");
    element.setAttribute("aria-level", "4");
  }
  element.append(...children.map(draw));
  return element;
}

export const byId = (id) => document.getElementById(id);

export function clock(seconds) {
  const at = new Date(seconds * 1000);
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((n) => String(n).padStart(2, "0")).join(":");
}
