// What the collection keeps by name: runs, calibrations, classifiers. A "change" event follows each reading.

import { get } from "./api.js";

class Kept extends EventTarget {
  runs = [];
  calibrations = [];
  classifiers = [];
  damaged = [];

  async read() {
    Object.assign(this, await get("/v1/runs"));
    this.dispatchEvent(new Event("change"));
  }
}

export const kept = new Kept();

// What the server takes as a name.
export const NAME = "[A-Za-z0-9_\\-][A-Za-z0-9._\\-]{0,99}";
