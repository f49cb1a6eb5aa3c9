// The labels' lines and settings as a request, and the newest answer to it.

import { CLIENT, Newest, post } from "./api.js";
import { announce } from "./dom.js";
import { LABELLING, store } from "./state.js";
import { plural, with_commas } from "./text.js";
import { hold_during } from "./thumbnails.js";

const BINS = 40;
const NARROWEST_TILE_PX = 128;
const SETTLED_MS = 900;

// "name: prompt | prompt", as in a label file; null for a comment or an empty line.
export function parse_line(line) {
  const text = line.trim();
  if (text === "" || text.startsWith("#")) return null;
  const [name, prompts = ""] = text.split(/:(.*)/s);
  return { name: name.trim(), prompts: parse_prompts(prompts) };
}

const parse_prompts = (text) =>
  text
    .split("|")
    .map((prompt) => prompt.trim())
    .filter((prompt) => prompt !== "");

// The labels of the lines, each once; while "cat" is typed beside "cats", the second "cat" waits.
export function labels_of(lines) {
  const labels = new Map();
  for (const line of lines) {
    const label = parse_line(line);
    if (label && label.name !== "" && !labels.has(label.name)) labels.set(label.name, label);
  }
  return [...labels.values()];
}

// As many of each shelf as the window shows at once.
const first_pictures = () => Math.min(1000, Math.ceil(innerWidth / NARROWEST_TILE_PX) + 4);

// What the server labels by; null where there is no label yet.
export function labelling_of(state) {
  const decided = {
    ...(state.threshold > 0 && { threshold: state.threshold }),
    ...(state.multi && { multi: true }),
  };
  if (state.classifier) return { classifier: state.classifier, ...decided };
  const labels = labels_of(state.lines);
  if (labels.length === 0) return null;
  const rule = state.calibration ? { calibration: state.calibration } : { fusion: state.rule };
  const prompts = parse_prompts(state.none_prompts);
  const none = state.none && prompts.length > 0 ? prompts : state.none;
  return { labels, ...rule, template: state.template, none, ...decided };
}

// The same for what goes by one label a picture: judging, measuring, runs, handing over.
export function one_label(request) {
  if (!request) return request;
  const { multi, ...rest } = request;
  return rest;
}

// Pictures of several labels have no margin.
export const order_of = (state) => (state.multi ? "score" : state.sort);

// Holds `answer` (of /v1/classify, or null), `error`, `request`; an "answer" event follows each change.
class Labels extends EventTarget {
  answer = null;
  error = null;
  request = null;
  busy = false;
  #newest = new Newest();
  #telling = 0;

  constructor() {
    super();
    store.listen((changed) => {
      if (LABELLING.some((name) => changed.has(name)) || changed.has("sort")) this.ask();
    });
  }

  ask() {
    const request = labelling_of(store.now);
    if (!request) {
      this.#newest.stop();
      this.#tell({ answer: null, error: null, request, busy: false });
      return;
    }
    const body = { ...request, per_label: first_pictures(), bins: BINS, sort: order_of(store.now), client: CLIENT };
    this.busy = true;
    this.#newest.run(
      (signal) => hold_during(post("/v1/classify", body, signal)),
      (answer) => {
        this.#tell({ answer, error: null, request, busy: false });
        tell_when_drawn();
      },
      (error) => this.#tell({ error, request, busy: false }),
    );
  }

  #tell(news) {
    Object.assign(this, news);
    this.dispatchEvent(new Event("answer"));
    clearTimeout(this.#telling);
    if (this.answer) this.#telling = setTimeout(() => announce(in_words(this.answer)), SETTLED_MS);
  }
}

// Marks when an answer is on the screen: after the frame that shows it. The benchmark reads it.
function tell_when_drawn() {
  requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      performance.clearMarks("shelves drawn");
      performance.mark("shelves drawn");
    };
    channel.port2.postMessage(null);
  });
}

function in_words(answer) {
  const counts = answer.labels.slice(0, 12).map((label) => `${label.name} ${with_commas(label.count)}`);
  return `${counts.join(", ")}; unsure ${plural(answer.unsure, "picture")}`;
}

export const labelling = new Labels();

// Each label has its colour, in the order in which they stand; what nobody answers is grey.
export const COLOURS = 10;
export function colour_of(name) {
  const place = labelling.answer?.labels.findIndex((label) => label.name === name) ?? -1;
  return place < 0 || name === labelling.answer.none ? "colour-unsure" : `colour-${place % COLOURS}`;
}
