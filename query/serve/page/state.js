// What is looked at, as one object that the address holds: a view is sent to a colleague by its address.
//
//   #/shelves?l=Doom&l=Animal+Crossing:+a+village&rule=max&threshold=0.4&shelf=Doom&picture=17

const DEFAULTS = {
  view: "shelves",
  lines: [], // one label a line, as label files have them: "name: prompt | prompt"
  template: "plain",
  rule: "mix",
  threshold: 0,
  multi: false, // several labels a picture
  none: false,
  none_prompts: "", // what "none" is like, "prompt | prompt"; empty: as the server has it
  calibration: "",
  classifier: "", // in place of the lines
  shelf: "", // the label whose pictures are all shown
  sort: "score",
  picture: "", // the one that is looked at, as key_of() names it
  text: "",
  terms: [], // what is added to the search and taken from it, see search_terms.js
  in: "both",
  all: false,
  group: false,
  exact: false,
  filters: {},
  by: "margin", // which pictures are judged first
  run: "", // two runs that are compared
  other: "",
  kind: "all", // of duplicates
  reason: "", // of skips
};

// Which of them the answers of the labels follow from.
export const LABELLING = [
  "lines",
  "template",
  "rule",
  "threshold",
  "multi",
  "none",
  "none_prompts",
  "calibration",
  "classifier",
];

const KEYS = { lines: "l", terms: "term", text: "q" };
const FILTER = "only-";
const SETTLED_MS = 300;

export function to_address(state) {
  const pairs = new URLSearchParams();
  for (const [name, fallback] of Object.entries(DEFAULTS)) {
    const key = KEYS[name] ?? name;
    const value = state[name];
    if (name === "view") continue;
    if (name === "filters") {
      for (const [filter, wanted] of Object.entries(value)) pairs.set(FILTER + filter, wanted);
    } else if (Array.isArray(fallback)) {
      for (const item of value) pairs.append(key, item);
    } else if (value !== fallback) {
      pairs.set(key, value === true ? "1" : value);
    }
  }
  const query = pairs.toString().replaceAll("%3A", ":").replaceAll("%2C", ",");
  return `#/${state.view}${query ? `?${query}` : ""}`;
}

export function from_address(hash) {
  const [view, query] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const pairs = new URLSearchParams(query ?? "");
  const state = { ...DEFAULTS, filters: {}, view: view || DEFAULTS.view };
  for (const [name, fallback] of Object.entries(DEFAULTS)) {
    const key = KEYS[name] ?? name;
    if (name === "view" || name === "filters" || !pairs.has(key)) continue;
    if (Array.isArray(fallback)) state[name] = pairs.getAll(key);
    else if (typeof fallback === "boolean") state[name] = pairs.get(key) === "1";
    else if (typeof fallback === "number") state[name] = as_number(pairs.get(key), fallback);
    else state[name] = pairs.get(key);
  }
  for (const [key, value] of pairs) if (key.startsWith(FILTER)) state.filters[key.slice(FILTER.length)] = value;
  return state;
}

function as_number(text, fallback) {
  const number = Number(text);
  return text !== "" && Number.isFinite(number) ? number : fallback;
}

// A row names a picture only until the collection is compacted, so its content goes with it.
export const key_of = (picture) => (picture.sha256 ? `${picture.row}-${picture.sha256}` : `${picture.row}`);

export function picture_of(key) {
  const [, row, sha256] = /^(\d+)(?:-([0-9a-f]{64}))?$/.exec(key) ?? [];
  return row === undefined ? null : { row: Number(row), ...(sha256 && { sha256 }) };
}

// The one state of the page. Whoever shows something of it listens; whoever changes it says what.
class Store {
  #state = from_address(location.hash);
  #listeners = new Set();
  #writing = 0;

  constructor() {
    addEventListener("popstate", () => this.#become(from_address(location.hash)));
    addEventListener("pagehide", () => this.#write("replaceState"));
  }

  get now() {
    return this.#state;
  }

  // Calls back at every change with the names of what changed, for as long as the signal lets it.
  listen(callback, signal) {
    this.#listeners.add(callback);
    signal?.addEventListener("abort", () => this.#listeners.delete(callback));
  }

  // A step that "back" takes back; edits replace the address in place.
  go(changes) {
    if (this.#writing) this.#write("replaceState");
    this.#become({ ...this.#state, ...changes });
    this.#write("pushState");
  }

  // Browsers refuse an address that changes with each key, so it follows a little later.
  edit(changes) {
    this.#become({ ...this.#state, ...changes });
    this.#writing ||= setTimeout(() => this.#write("replaceState"), SETTLED_MS);
  }

  #write(how) {
    clearTimeout(this.#writing);
    this.#writing = 0;
    const address = to_address(this.#state);
    if (address !== location.hash) history[how](null, "", address);
  }

  #become(next) {
    const before = this.#state;
    this.#state = next;
    const changed = new Set(
      Object.keys(next).filter((name) => JSON.stringify(next[name]) !== JSON.stringify(before[name])),
    );
    if (changed.size > 0) for (const listener of [...this.#listeners]) listener(changed, next);
  }
}

export const store = new Store();
