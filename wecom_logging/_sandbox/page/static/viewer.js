// A file of a message, looked at: a picture, a table, a text. What it is, its bytes say; no markup is made of it.

import { byId, make } from "./dom.js";
import { load, saveAs } from "./link.js";
import { say } from "./words.js";

const MOST_BYTES = 256 * 1024;
const MOST_ROWS = 500;
const MOST_COLUMNS = 30;

let shown; // the file, for whoever wants to keep it
let picture = "";

export function setUpViewer() {
  byId("file-save").addEventListener("click", () => saveAs(byId("file-name").textContent, shown));
  byId("file").addEventListener("close", forget);
}

function forget() {
  if (picture) URL.revokeObjectURL(picture);
  picture = "";
  shown = undefined;
  byId("file-body").replaceChildren();
}

export async function openFile(message, name) {
  const blob = await load(`/sandbox/messages/${message}/files/0`);
  forget();
  shown = blob;
  byId("file-name").textContent = name;
  byId("file-save").hidden = !blob;
  byId("file-size").textContent = blob ? say("size", blob.size) : say("file_gone");
  if (blob) byId("file-body").append(...await preview(blob, name));
  if (!byId("file").open) byId("file").showModal();
}

async function preview(blob, name) {
  const bytes = new Uint8Array(await blob.slice(0, MOST_BYTES).arrayBuffer());
  const kind = pictureKind(bytes);
  if (kind) {
    picture = URL.createObjectURL(new Blob([blob], { type: kind }));
    return [make("img", { src: picture, alt: name })];
  }
  const text = decoded(bytes, blob.size);
  if (text === undefined) return [make("p", {}, say("no_preview"))];
  const cut = blob.size > MOST_BYTES ? [make("p", { class: "quiet" }, say("file_begins"))] : [];
  return [/\.csv$/i.test(name) ? table(rows(text)) : make("pre", {}, text), ...cut];
}

function pictureKind([a, b, c, d]) {
  if (a === 0xff && b === 0xd8 && c === 0xff) return "image/jpeg";
  return a === 0x89 && b === 0x50 && c === 0x4e && d === 0x47 ? "image/png" : "";
}

// Undefined where it is no text in UTF-8; a character that is cut at the end is no fault.
function decoded(bytes, size) {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: bytes.length < size });
  } catch {
    return undefined;
  }
}

// RFC 4180: a quoted cell may hold commas, line breaks and doubled quotes. A quote elsewhere is a sign like another.
function rows(text) {
  const all = [];
  let row = [];
  const cell = /(?:"((?:[^"]|"")*)"(?=[,\r\n]|$)|([^,\r\n]*))(,|\r\n|\n|\r|$)/gy;
  while (cell.lastIndex < text.length && all.length <= MOST_ROWS) {
    const found = cell.exec(text);
    if (!found) break;
    row.push(found[1]?.replaceAll('""', '"') ?? found[2]);
    if (found[3] !== ",") {
      all.push(row);
      row = [];
    }
  }
  if (row.length) all.push(row);
  return all;
}

function table([head = [], ...body]) {
  const line = (cells, tag) => make("tr", {}, ...cells.slice(0, MOST_COLUMNS).map((cell) => make(tag, {}, cell)));
  return make("table", {}, make("thead", {}, line(head, "th")), make("tbody", {}, ...body.map((cells) => line(cells, "td"))));
}
