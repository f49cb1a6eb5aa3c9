// The shelves: of each label its best pictures in a row, and of one label all of them.

import { post } from "./api.js";
import { h, notice, problem, replace, set_text } from "./dom.js";
import { COLOURS, labelling, order_of } from "./labelling.js";
import { clear_tile, draw_tile, look_at, make_tile } from "./picture_tile.js";
import { store } from "./state.js";
import { duration, percent, plural, with_commas } from "./text.js";
import { Tiles } from "./tiles.js";

const PAGE = 100; // pictures that are asked for at once
const ON_SHELF = [
  // up to so many shelves, pictures of this size
  { shelves: 2, width: 208, height: 188 },
  { shelves: 4, width: 164, height: 148 },
  { shelves: Infinity, width: 132, height: 118 },
];
const IN_GRID = { width: 148, height: 132 };
const UNSURE = null; // in place of a label
const UNSURE_KEY = "#unsure"; // in the address; a label never begins with #, where a comment does
const SORTS = [
  ["score", "best first"],
  ["margin", "least sure first"],
  ["disagreement", "picture against text first"],
];

// All pictures of one label, in stretches, as they come into view.
class Pictures {
  #pictures = [];
  #asked = new Set();
  #controller = new AbortController();
  #request = null;
  #label = UNSURE;
  count = 0;

  constructor(arrived) {
    this.arrived = arrived;
  }

  show(request, label, count, first) {
    this.stop();
    this.#controller = new AbortController();
    Object.assign(this, { count });
    this.#request = request;
    this.#label = label;
    this.#pictures = [...first];
    this.#asked.clear();
  }

  stop() {
    this.#controller.abort();
  }

  at(index) {
    return this.#pictures[index];
  }

  need(from, to) {
    for (let index = from; index < Math.min(to, this.count); ++index) {
      const page = Math.floor(index / PAGE);
      if (this.#pictures[index] === undefined && !this.#asked.has(page)) this.#ask(page);
    }
  }

  async #ask(page) {
    this.#asked.add(page);
    const { signal } = this.#controller;
    const body = { ...this.#request, label: this.#label, sort: order_of(store.now), offset: page * PAGE, limit: PAGE };
    try {
      const shelf = await post("/v1/classify/pictures", body, signal);
      if (signal.aborted) return;
      shelf.pictures.forEach((picture, offset) => (this.#pictures[shelf.offset + offset] = picture));
      this.count = shelf.count;
      this.arrived();
    } catch (error) {
      this.#asked.delete(page);
      if (!signal.aborted) notice(error.message);
    }
  }
}

// One label's pictures, in a row or in a grid.
class PicturesOf {
  #pictures = new Pictures(() => this.#arrived());
  #colour = "";
  #label = UNSURE;
  tiles;

  constructor(name, sideways) {
    this.tiles = new Tiles({
      name,
      sideways,
      tile: sideways ? ON_SHELF.at(-1) : IN_GRID,
      make: make_tile,
      clear: clear_tile,
      draw: (tile, index) => this.#draw(tile, this.#pictures.at(index)),
      need: (from, to) => this.#pictures.need(from, to),
      pick: (index, how) => look_at(this.#pictures.at(index), how),
    });
  }

  show(shelf, request) {
    this.#colour = shelf.colour;
    this.#label = shelf.label;
    this.#pictures.show(request, shelf.label, shelf.count, shelf.pictures);
    this.tiles.rename(`${shelf.name}, ${plural(shelf.count, "picture")}`);
    this.tiles.show(shelf.count);
  }

  // Of several labels the score of the one whose shelf it is.
  #draw(tile, picture) {
    const here = picture?.labels?.find((one) => one.label === this.#label);
    draw_tile(tile, picture, { colour: this.#colour, fill: here?.score });
  }

  #arrived() {
    if (this.tiles.count !== this.#pictures.count) this.tiles.show(this.#pictures.count);
    else this.tiles.refresh();
  }

  close() {
    this.#pictures.stop();
    this.tiles.close();
  }
}

class Shelf {
  #open = h("button", { type: "button", class: "shelf-name", onclick: () => store.go({ shelf: this.#key }) });
  #count = h("span", { class: "count" });
  #share = h("span", { class: "share muted" });
  #row = new PicturesOf("", true);
  #key = "";
  #seen = false;
  #latest = null;
  #watch = new IntersectionObserver(([entry]) => this.#came_into_view(entry.isIntersecting), { rootMargin: "200px" });

  constructor() {
    this.element = h(
      "section",
      { class: "shelf" },
      h("h2", {}, this.#open, this.#count, this.#share),
      this.#row.tiles.element,
    );
    this.#watch.observe(this.element);
  }

  show(shelf, request, pictures, size) {
    this.element.dataset.size = size.shelves;
    this.#row.tiles.resize(size);
    this.#key = shelf.key;
    this.element.className = `shelf ${shelf.colour}`;
    this.element.classList.toggle("bare", shelf.count === 0);
    set_text(this.#open, shelf.name);
    set_text(this.#count, with_commas(shelf.count));
    set_text(this.#share, pictures > 0 ? percent(shelf.count / pictures) : "");
    this.#latest = { shelf, request };
    if (this.#seen) this.#show_row();
  }

  // What nobody sees is not drawn.
  #came_into_view(seen) {
    this.#seen = seen;
    if (seen && this.#latest) this.#show_row();
  }

  #show_row() {
    const { shelf, request } = this.#latest;
    this.#latest = null;
    this.#row.show(shelf, request);
  }

  close() {
    this.#watch.disconnect();
    this.#row.close();
    this.element.remove();
  }
}

// The labels' shelves, and the one for what nobody is sure of, as one list.
function shelves_of(answer) {
  const shelves = answer.labels.map((label, place) => ({
    key: label.name,
    label: label.name,
    name: label.name,
    count: label.count,
    pictures: label.pictures,
    colour: label.name === answer.none ? "colour-unsure" : `colour-${place % COLOURS}`,
  }));
  const unsure = {
    key: UNSURE_KEY,
    label: UNSURE,
    name: "Unsure",
    count: answer.unsure,
    pictures: answer.unsure_pictures,
    colour: "colour-unsure",
  };
  return answer.unsure > 0 ? [...shelves, unsure] : shelves;
}

export function make_shelves(signal) {
  const sort = h(
    "select",
    { "aria-label": "Order", onchange: () => store.go({ sort: sort.value }) },
    SORTS.map(([value, name]) => h("option", { value }, name)),
  );
  const back = h(
    "button",
    { type: "button", class: "quiet back", onclick: () => store.go({ shelf: "" }) },
    "← All shelves",
  );
  const title = h("h1", {});
  const took = h("span", { class: "muted took" });
  const bar = h("div", { class: "bar-top" }, back, title, took, h("span", { class: "space" }), sort);
  const list = h("div", { class: "shelves" });
  const body = h("div", { class: "shelves-body" });
  const element = h("div", { class: "view" }, bar, body);
  const shelves = [];
  let grid = null;

  function show_all(answer) {
    const wanted = shelves_of(answer);
    const size = ON_SHELF.find((one) => wanted.length <= one.shelves);
    while (shelves.length > wanted.length) shelves.pop().close();
    wanted.forEach((shelf, place) => {
      if (!shelves[place]) {
        shelves.push(new Shelf());
        list.append(shelves[place].element);
      }
      shelves[place].show(shelf, labelling.request, answer.pictures, size);
    });
    if (body.firstChild !== list) replace(body, list);
  }

  function show_one(answer, key) {
    const none = {
      name: key === UNSURE_KEY ? "Unsure" : key,
      label: UNSURE,
      count: 0,
      pictures: [],
      colour: "colour-unsure",
    };
    const shelf = shelves_of(answer).find((one) => one.key === key) ?? none;
    grid ??= new PicturesOf(shelf.name, false);
    if (body.firstChild !== grid.tiles.element) replace(body, grid.tiles.element);
    set_text(title, `${shelf.name} · ${with_commas(shelf.count)}`);
    title.className = shelf.colour;
    grid.show(shelf, labelling.request);
  }

  function show() {
    const { answer, error } = labelling;
    const { shelf, multi } = store.now;
    sort.value = order_of(store.now);
    sort.disabled = multi;
    sort.title = multi ? "Pictures of several labels have no margin" : "";
    back.hidden = shelf === "";
    title.className = "";
    element.classList.toggle("stale", error !== null);
    if (!answer) {
      set_text(title, "");
      replace(body, error ? problem(error) : welcome());
    } else if (shelf === "") {
      set_text(title, "");
      show_all(answer);
    } else show_one(answer, shelf);
    bar.classList.toggle("unseen", !answer);
    set_text(took, answer ? told_of(answer) : "");
  }

  labelling.addEventListener("answer", show, { signal });
  store.listen((changed) => {
    if (changed.has("shelf")) {
      grid?.close();
      grid = null;
      show();
    }
  }, signal);
  signal.addEventListener("abort", () => {
    shelves.forEach((shelf) => shelf.close());
    grid?.close();
  });
  show();
  return element;
}

function told_of(answer) {
  const by = answer.way === answer.fusion ? "" : `, by ${answer.way}`;
  return `${plural(answer.pictures, "picture")} in ${duration(answer.seconds)}${by}`;
}

function welcome() {
  return h(
    "div",
    { class: "welcome" },
    h("h1", {}, "Type a label"),
    h("p", {}, "One a line, on the left. Every picture moves to the label that fits it, while you type."),
    h(
      "dl",
      {},
      h("dt", {}, h("code", {}, "cat")),
      h("dd", {}, "a name is enough"),
      h("dt", {}, h("code", {}, "wholesome: a cute picture | two friends")),
      h("dd", {}, "or say how it looks, in one way or in several"),
    ),
    h("p", { class: "muted" }, "Or drop a picture anywhere, to find what is like it."),
  );
}
