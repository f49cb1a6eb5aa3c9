// Which pictures are judged next.

import { Newest, post } from "./api.js";
import { labelling, one_label } from "./labelling.js";
import { store } from "./state.js";

const AHEAD = 30; // pictures that are fetched at once
const LOW = 8; // so many left: fetch more

// The most useful first; those that were skipped or said do not come again, nor do their copies.
export class JudgingQueue extends EventTarget {
  #pictures = [];
  #over = new Set();
  #newest = new Newest();
  count = 0;
  error = null;

  constructor(signal) {
    super();
    signal.addEventListener("abort", () => this.#newest.stop());
  }

  get current() {
    return this.#pictures[0];
  }

  get asking() {
    return this.#newest.running;
  }

  ask() {
    const request = one_label(labelling.request);
    if (!request) {
      this.#pictures = [];
      this.count = 0;
      return;
    }
    const k = Math.min(1000, AHEAD + this.#over.size);
    this.#newest.run(
      (signal) => post("/v1/review", { ...request, by: store.now.by, k }, signal),
      (review) => {
        // Who looks at a picture goes on looking at it, though others are less sure by now.
        const shown = this.current;
        const rest = review.pictures.filter(
          (picture) => !this.#over.has(picture.sha256) && picture.sha256 !== shown?.sha256,
        );
        const still = shown && (review.pictures.find((picture) => picture.sha256 === shown.sha256) ?? shown);
        this.#pictures = still ? [still, ...rest] : rest;
        this.count = Math.max(this.#pictures.length, review.candidates);
        this.error = null;
        this.#tell();
      },
      (error) => {
        this.#pictures = [];
        this.error = error;
        this.#tell();
      },
    );
    this.#pictures.length || this.#tell();
  }

  take() {
    const picture = this.#pictures.shift();
    if (!picture) return null;
    this.#over.add(picture.sha256);
    this.count = Math.max(0, this.count - 1);
    if (this.#pictures.length < LOW && this.count > this.#pictures.length && !this.asking) this.ask();
    return picture;
  }

  put_back(picture) {
    this.#over.delete(picture.sha256);
    this.#pictures.unshift(picture);
    ++this.count;
  }

  // The server knows now that it was said.
  forget(picture) {
    this.#over.delete(picture.sha256);
    this.#pictures = this.#pictures.filter((one) => one.sha256 !== picture.sha256);
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}
