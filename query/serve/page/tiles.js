// A million pictures that scroll: only those in view are elements. A grid scrolls down, a shelf to the side. One tile
// can be reached by Tab and the others by the arrows, as in every list.

import { h } from "./dom.js";

// Browsers draw nothing right beyond some ten million pixels; a longer list scrolls in larger steps.
const LONGEST_PX = 8e6;
const BEYOND = 2; // rows (of a shelf: tiles) that are drawn ahead

export class Tiles {
  element;
  #inside = h("div", { class: "tiles-inside", role: "presentation" });
  #options;
  #count = 0;
  #current = 0;
  #columns = 1;
  #drawn = new Map(); // index -> tile
  #frame = 0;
  #size = { along: 0, across: 0 };
  #watch = new ResizeObserver(() => this.#resize());

  // options: name; sideways; tile {width, height} in px, gap included; make() -> a tile, draw(tile, index) fills it,
  // clear(tile) when it leaves; need(from, to) tells which are in view; pick(index, how) when one is chosen: by "focus"
  // or by "open" (Enter, a click).
  constructor(options) {
    this.#options = options;
    this.element = h("div", {
      class: options.sideways ? "tiles sideways" : "tiles",
      role: "listbox",
      "aria-label": options.name,
      "aria-orientation": options.sideways ? "horizontal" : "vertical",
      onscroll: () => this.#later(),
      onkeydown: (event) => this.#key(event),
      onclick: (event) => this.#point(event),
      onfocusin: (event) => this.#focused(event),
    });
    this.element.append(this.#inside);
    this.#watch.observe(this.element);
  }

  get count() {
    return this.#count;
  }

  get current() {
    return this.#current;
  }

  rename(name) {
    this.element.setAttribute("aria-label", name);
  }

  // Other sizes of the tiles, in px with their gap.
  resize(tile) {
    if (tile.width === this.#options.tile.width && tile.height === this.#options.tile.height) return;
    this.#options.tile = tile;
    this.#size = { along: 0, across: 0 };
    this.#resize();
  }

  // Other pictures; those that stay in view keep their element.
  show(count) {
    this.#count = count;
    this.#current = Math.min(this.#current, Math.max(0, count - 1));
    this.#layout(true);
  }

  // The same pictures, of which more is known now.
  refresh() {
    for (const [index, tile] of this.#drawn) this.#draw(tile, index);
  }

  to_start() {
    this.element.scrollTo({ top: 0, left: 0 });
    this.#current = 0;
  }

  focus(index) {
    if (this.#count === 0) return;
    this.#current = Math.max(0, Math.min(index, this.#count - 1));
    this.#scroll_to(this.#current);
    this.#layout(false);
    this.refresh();
    this.#drawn.get(this.#current)?.focus({ preventScroll: true });
  }

  close() {
    this.#watch.disconnect();
    for (const tile of this.#drawn.values()) this.#options.clear(tile);
    this.#drawn.clear();
  }

  // Along is the way it scrolls.
  #resize() {
    const { sideways, tile } = this.#options;
    const size = sideways
      ? { along: this.element.clientWidth, across: this.element.clientHeight }
      : { along: this.element.clientHeight, across: this.element.clientWidth };
    if (size.along === this.#size.along && size.across === this.#size.across) return;
    this.#size = size;
    this.#columns = sideways ? 1 : Math.max(1, Math.floor(size.across / tile.width));
    this.#layout(true);
  }

  get #step() {
    return this.#options.sideways ? this.#options.tile.width : this.#options.tile.height;
  }

  get #length() {
    return Math.ceil(this.#count / this.#columns) * this.#step;
  }

  // Pixels of the list for each pixel of the scroll bar.
  get #scale() {
    const { along } = this.#size;
    return this.#length <= LONGEST_PX ? 1 : (this.#length - along) / (LONGEST_PX - along);
  }

  get #scrolled() {
    return this.#options.sideways ? this.element.scrollLeft : this.element.scrollTop;
  }

  #later() {
    this.#frame ||= requestAnimationFrame(() => this.#layout(false));
  }

  #layout(redraw) {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const length = `${Math.min(this.#length, LONGEST_PX)}px`;
    const side = this.#options.sideways ? "width" : "height";
    if (this.#inside.style[side] !== length) this.#inside.style[side] = length;
    const scale = this.#scale;
    const start = this.#scrolled * scale;
    const from = Math.max(0, Math.floor(start / this.#step) - BEYOND) * this.#columns;
    const rows = Math.ceil(this.#size.along / this.#step) + 1 + 2 * BEYOND;
    const to = this.#size.along === 0 ? 0 : Math.min(this.#count, from + rows * this.#columns);
    this.#drop_outside(from, to);
    this.#keep_reachable(from, to);
    const shift = this.#scrolled - start;
    for (let index = from; index < to; ++index) {
      let tile = this.#drawn.get(index);
      const fresh = !tile;
      if (fresh) this.#drawn.set(index, (tile = this.#make()));
      if (fresh || redraw) this.#draw(tile, index);
      if (fresh || redraw || scale !== 1) this.#place(tile, index, shift);
      if (fresh) this.#inside.append(tile);
    }
    if (to > from) this.#options.need(from, to);
  }

  #drop_outside(from, to) {
    for (const [index, tile] of this.#drawn) {
      const focused = tile === document.activeElement && index < this.#count;
      if ((index >= from && index < to) || focused) continue;
      this.#options.clear(tile);
      tile.remove();
      this.#drawn.delete(index);
    }
  }

  // Tab goes to one tile; where that one is out of view, to the first that is in it.
  #keep_reachable(from, to) {
    if (this.#drawn.has(this.#current) || (this.#current >= from && this.#current < to) || from >= to) return;
    this.#current = from;
    const tile = this.#drawn.get(from);
    if (tile) tile.tabIndex = 0;
  }

  #make() {
    const tile = this.#options.make();
    tile.setAttribute("role", "option");
    return tile;
  }

  #draw(tile, index) {
    tile.dataset.index = index;
    tile.tabIndex = index === this.#current ? 0 : -1;
    tile.setAttribute("aria-posinset", index + 1);
    tile.setAttribute("aria-setsize", this.#count);
    this.#options.draw(tile, index);
  }

  #place(tile, index, shift) {
    const { sideways, tile: size } = this.#options;
    const along = Math.floor(index / this.#columns) * this.#step + shift;
    const across = (index % this.#columns) * (this.#size.across / this.#columns);
    tile.style.transform = sideways ? `translateX(${along}px)` : `translate(${across}px, ${along}px)`;
    tile.style.width = sideways ? `${size.width}px` : `${this.#size.across / this.#columns}px`;
    tile.style.height = `${size.height}px`;
  }

  #scroll_to(index) {
    const begin = Math.floor(index / this.#columns) * this.#step;
    const start = this.#scrolled * this.#scale;
    const end = start + this.#size.along;
    if (begin >= start && begin + this.#step <= end) return;
    const wanted = begin < start ? begin : begin + this.#step - this.#size.along;
    this.element[this.#options.sideways ? "scrollLeft" : "scrollTop"] = wanted / this.#scale;
  }

  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const page = Math.max(1, Math.floor(this.#size.along / this.#step)) * this.#columns;
    const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -this.#count, End: this.#count, PageUp: -page, PageDown: page };
    if (!this.#options.sideways) Object.assign(steps, { ArrowUp: -this.#columns, ArrowDown: this.#columns });
    if (event.key in steps) this.focus(this.#current + steps[event.key]);
    else if (event.key === "Enter" || event.key === " ") this.#options.pick(this.#current, "open");
    else return;
    event.preventDefault();
  }

  #index_of(event) {
    const tile = event.target.closest("[data-index]");
    return tile ? Number(tile.dataset.index) : null;
  }

  #point(event) {
    const index = this.#index_of(event);
    if (index !== null) this.#options.pick(index, "open");
  }

  #focused(event) {
    const index = this.#index_of(event);
    if (index === null) return;
    const before = this.#drawn.get(this.#current);
    if (before) before.tabIndex = -1;
    this.#current = index;
    this.#drawn.get(index).tabIndex = 0;
    this.#options.pick(index, "focus");
  }
}
