// Elements. Whatever comes from a message becomes a text node; a kind that is not in the table becomes a <span>.

const TAGS = {
  p: "p", text: "p", b: "strong", i: "em", s: "s", code: "code", pre: "pre", hr: "hr", a: "a", quote: "blockquote",
  ul: "ul", ol: "ol", li: "li", table: "table", thead: "thead", tbody: "tbody", tr: "tr", th: "th", td: "td",
  title: "div", more: "div", article: "div", picture: "div", file: "div", row: "div", big: "div", gray: "div",
  h1: "div", h2: "div", h3: "div", h4: "div", h5: "div", h6: "div",
};
const CLASSES = new Set([
  "text", "quote", "title", "more", "article", "picture", "file", "row", "big", "gray", "normal", "highlight", "sign",
  "mention", "info", "comment", "warning", "h1", "h2", "h3", "h4", "h5", "h6",
]);

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
  const element = document.createElement(Object.hasOwn(TAGS, kind) ? TAGS[kind] : "span");
  if (CLASSES.has(kind)) element.className = kind;
  if (kind === "a" && /^https?:\/\//i.test(attributes.href)) {
    element.setAttribute("href", attributes.href);
    element.setAttribute("target", "_blank");
    element.setAttribute("rel", "noopener noreferrer");
  }
  if (/^h[1-6]$/.test(kind)) {
    element.setAttribute("role", "heading");
    element.setAttribute("aria-level", "5");
  }
  element.append(...children.map(draw));
  return element;
}

export const byId = (id) => document.getElementById(id);

export function clock(seconds) {
  const at = new Date(seconds * 1000);
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((n) => String(n).padStart(2, "0")).join(":");
}
