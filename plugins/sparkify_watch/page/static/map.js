// The map of hours without this file: links. With it: arrow keys, a range by dragging, and fresh colours.
"use strict";

const FRESH_MS = 5000;

function squares() {
  return [...document.querySelectorAll(".map a.square")];
}

// One stop of the Tab key instead of hundreds; arrow keys go on from there.
function stopOnce() {
  const all = squares();
  const current = all.find((each) => each.classList.contains("picked")) || all[0];
  all.forEach((each) => { each.tabIndex = each === current ? 0 : -1; });
}

function goTo(square) {
  squares().forEach((each) => { each.tabIndex = -1; });
  square.tabIndex = 0;
  square.focus();
}

function neighbour(square, key) {
  const cell = square.parentElement;
  const row = cell.parentElement;
  const links = [...row.querySelectorAll("a.square")];
  const place = links.indexOf(square);
  const below = { ArrowUp: row.previousElementSibling, ArrowDown: row.nextElementSibling }[key];
  if (below) {
    const cells = below.cells[cell.cellIndex];
    return cells && cells.querySelector("a.square");
  }
  return { ArrowLeft: links[place - 1], ArrowRight: links[place + 1], Home: links[0], End: links[links.length - 1] }[key];
}

function onKey(event) {
  const square = event.target.closest("a.square");
  const next = square && neighbour(square, event.key);
  if (next) {
    event.preventDefault();
    goTo(next);
  }
}

// Dragging: from the square where the pointer went down to the one where it comes up.
let first = null;

function between(a, b) {
  const [low, high] = [a.dataset.start, b.dataset.start].sort();
  return squares().filter((each) => each.dataset.start >= low && each.dataset.start <= high);
}

function paint(a, b) {
  const inside = new Set(between(a, b));
  squares().forEach((each) => each.classList.toggle("picked", inside.has(each)));
}

function onDown(event) {
  const square = event.target.closest("a.square");
  if (square && event.button === 0 && event.pointerType === "mouse") {
    first = square;
  }
}

function onOver(event) {
  const square = event.target.closest("a.square");
  if (first && square) {
    paint(first, square);
  }
}

function onUp(event) {
  const square = event.target.closest("a.square");
  const from = first;
  first = null;
  if (!from || !square || from === square) {
    return;
  }
  const inside = between(from, square);
  const address = new URL(location.href);
  address.hash = "";
  address.searchParams.set("start", inside[0].dataset.start);
  address.searchParams.set("end", inside[inside.length - 1].dataset.end);
  location.assign(address);
}

// What has changed since the page was shown; where the reader is stays.
async function renew() {
  if (document.hidden || first) {
    return;
  }
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok) {
    return;
  }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const found = new Map([...fresh.querySelectorAll(".map a.square")].map((each) => [each.dataset.start, each]));
  for (const each of squares()) {
    const other = found.get(each.dataset.start);
    if (other && (other.className !== each.className || other.title !== each.title)) {
      each.className = other.className;
      each.textContent = other.textContent;
      each.title = other.title;
      each.setAttribute("aria-label", other.getAttribute("aria-label"));
    }
  }
  for (const place of [".told", ".picture"]) {
    const [old, other] = [document.querySelector(place), fresh.querySelector(place)];
    if (old && other && old.textContent !== other.textContent && !old.contains(document.activeElement)) {
      old.replaceChildren(...document.importNode(other, true).childNodes);
    }
  }
}

const map = document.querySelector(".map");
if (map) {
  stopOnce();
  map.addEventListener("keydown", onKey);
  map.addEventListener("pointerdown", onDown);
  map.addEventListener("pointerover", onOver);
  map.addEventListener("dragstart", (event) => event.preventDefault());
  document.addEventListener("pointerup", onUp);
  setInterval(() => renew().catch(() => {}), FRESH_MS);
}
