// What people said of pictures: telling it, how many are known, and a "change" event for everybody who shows it.

import { put, put_csv, remove } from "./api.js";

class Truth extends EventTarget {
  count = 0; // pictures whose label is known by hand
  #last = Promise.resolve();

  // label: null takes it back. One after the other, so that what was said last is what stays.
  async tell({ row, sha256 }, label) {
    const telling = this.#last.then(() => put("/v1/truth", { pictures: [{ row, sha256, label }] }));
    this.#last = telling.catch(() => {});
    this.#changed((await telling).count);
  }

  async read_csv(text) {
    const read = await put_csv("/v1/truth.csv", text);
    this.#changed(read.count);
    return read;
  }

  async forget_all() {
    await remove("/v1/truth");
    this.#changed(0);
  }

  #changed(count) {
    this.count = count;
    this.dispatchEvent(new Event("change"));
  }
}

export const truth = new Truth();
