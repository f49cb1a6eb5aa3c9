// Judging by hand: the least sure pictures, one after the other, answered with the keys 1 to 9. What was said is kept with
// the collection; from it the labels are measured, calibrated and learned.

import { Newest, post, put, put_csv, remove, thumbnail_address } from "./api.js";
import { h, notice, problem, replace, set_text, announce } from "./dom.js";
import { make_accuracy } from "./accuracy.js";
import { COLOURS, labelling, labelling_of, labels_of } from "./labelling.js";
import { store } from "./state.js";
import { file_name, plural, score, with_commas } from "./text.js";
import { forget, make_image, show as show_image } from "./thumbnails.js";
import { on_truth, truth_changed } from "./truth.js";

const AHEAD = 30; // pictures that are fetched at once
const LOW = 8; // so many left: fetch more
const LEARNED = "judged"; // the name under which the classifier and the calibration are kept
const ENOUGH = 5; // answers from which on it learns by itself
const RECENT = 24;
const NO_LABEL_KEYS = ["0", " "];

// What the page's prompts say, also while a classifier answers in their place.
const by_prompts = () => labelling_of({ ...store.now, classifier: "", threshold: 0 });

export function make_judge(signal, collection, kept) {
  const queue = new Queue(signal);
  const asked = new Newest();
  const learning = new Learning(kept);
  const said = []; // this page's answers, the last one last
  const read_only = collection.read_only;

  const image = make_image("");
  const picture = h("div", { class: "judged-picture" }, image);
  const now = h("p", { class: "now" });
  const answers = h("div", { class: "answers", role: "group", "aria-label": "What it truly is" });
  const recent = h("ol", { class: "recent", "aria-label": "Your last answers" });
  const by = h(
    "select",
    { "aria-label": "Which first", onchange: () => store.go({ by: by.value }) },
    [
      ["margin", "the least sure first"],
      ["disagreement", "picture against text first"],
    ].map(([value, name]) => h("option", { value }, name)),
  );
  const learn = h("input", { type: "checkbox", id: "learn-while-judging", checked: !read_only, disabled: read_only });
  const left = h("span", { class: "muted" });
  const accuracy = make_accuracy();
  const trouble = h("div", {});
  const desk = h("div", { class: "desk" }, picture, now, answers, recent);
  const element = h(
    "div",
    { class: "view judge", tabindex: -1 },
    h("div", { class: "bar-top" }, left, h("span", { class: "space" }), by),
    trouble,
    h(
      "div",
      { class: "judge-body" },
      desk,
      h(
        "aside",
        { class: "judge-side", "aria-label": "How good the answers are" },
        h("label", { class: "check", for: learn.id }, learn, "learn while I answer"),
        h(
          "div",
          { class: "actions" },
          action("Train", "a classifier from your answers, at once", train),
          action("Calibrate", "fit the rule mix to your answers", calibrate),
          action("Evaluate", "how often each rule agrees with you", evaluate),
        ),
        accuracy.element,
        truth_tools(read_only),
      ),
    ),
  );

  function action(name, title, run) {
    const button = h(
      "button",
      {
        type: "button",
        title,
        disabled: read_only && name !== "Evaluate",
        onclick: async () => {
          button.disabled = true;
          replace(trouble);
          try {
            await run();
          } catch (error) {
            replace(trouble, problem(error));
          }
          button.disabled = false;
        },
      },
      name,
    );
    return button;
  }

  const names = () => {
    const all = labels_of(store.now.lines).map((label) => label.name);
    const { answer } = labelling;
    for (const label of answer?.labels ?? []) if (!all.includes(label.name)) all.push(label.name);
    return all;
  };

  function show() {
    const current = queue.current;
    const { count } = queue;
    by.value = store.now.by;
    set_text(left, labelling.request ? `${plural(said.length, "answer")} now; ${with_commas(count)} wait` : "");
    show_recent();
    if (!current) {
      forget(image);
      desk.classList.add("bare");
      set_text(
        now,
        queue.error?.message ??
          (labelling.request ? (queue.asking ? "" : "Nothing is left to judge.") : "Type labels first, on the left."),
      );
      replace(answers);
      return;
    }
    desk.classList.remove("bare");
    show_image(image, thumbnail_address(current, 640));
    image.alt = file_name(current.path);
    const second = current.runner_up ? `, then ${current.runner_up.label} ${score(current.runner_up.score)}` : "";
    replace(
      now,
      current.label === null
        ? "unsure"
        : h("span", {}, "it says ", h("strong", {}, current.label), ` ${score(current.score)}${second}`),
    );
    replace(
      answers,
      names().map((name, place) =>
        h(
          "button",
          {
            type: "button",
            class: `colour-${place % COLOURS}`,
            disabled: read_only,
            "aria-keyshortcuts": place < 9 ? String(place + 1) : null,
            onclick: () => say(name),
          },
          h("kbd", {}, place < 9 ? place + 1 : "·"),
          name,
        ),
      ),
      h(
        "button",
        { type: "button", class: "quiet", "aria-keyshortcuts": "0", onclick: skip },
        h("kbd", {}, "0"),
        "skip",
      ),
      h(
        "button",
        {
          type: "button",
          class: "quiet",
          disabled: said.length === 0,
          "aria-keyshortcuts": "Backspace",
          onclick: undo,
        },
        h("kbd", {}, "⌫"),
        "undo",
      ),
    );
  }

  function show_recent() {
    const all = names();
    replace(
      recent,
      said.slice(-RECENT).map(({ picture: one, label }) =>
        h("li", {
          class: `colour-${Math.max(0, all.indexOf(label)) % COLOURS}`,
          title: `${file_name(one.path)}: ${label}`,
        }),
      ),
    );
  }

  async function say(label) {
    const current = queue.take();
    if (!current || read_only) return;
    said.push({ picture: current, label });
    show();
    await tell(current, label);
  }

  async function tell(one, label) {
    try {
      const { count } = await put("/v1/truth", { pictures: [{ row: one.row, sha256: one.sha256, label }] });
      queue.forget(one);
      truth_changed();
      measure();
      if (learn.checked && count >= ENOUGH) learning.soon();
    } catch (error) {
      said.splice(
        said.findIndex((it) => it.picture === one),
        1,
      );
      queue.put_back(one);
      show();
      replace(trouble, problem(error));
    }
  }

  function skip() {
    queue.take();
    show();
  }

  async function undo() {
    const last = said.pop();
    if (!last) return;
    queue.put_back(last.picture);
    show();
    announce(`Took back ${last.label}`);
    await put("/v1/truth", { pictures: [{ row: last.picture.row, sha256: last.picture.sha256, label: null }] }).catch(
      (error) => replace(trouble, problem(error)),
    );
    truth_changed();
    measure();
  }

  // As answers come in: how often what the page shows agrees with them.
  function measure() {
    const request = labelling.request;
    if (!request) return;
    asked.run(
      (abort) => post("/v1/evaluate", request, abort),
      (evaluation) => accuracy.show_now(evaluation, store.now.classifier),
      () => accuracy.nothing(),
    );
  }

  async function evaluate() {
    accuracy.show_evaluation(await post("/v1/evaluate", labelling.request ?? {}));
  }

  async function train() {
    const training = await learning.train();
    accuracy.show_training(training);
    learning.use();
  }

  async function calibrate() {
    const calibration = await post("/v1/calibrate", { ...by_prompts(), save: LEARNED });
    accuracy.show_calibration(calibration);
    await kept.read();
    if (calibration.kept) store.go({ calibration: calibration.kept, classifier: "" });
  }

  learning.addEventListener("learned", ({ detail }) => accuracy.show_training(detail), { signal });
  queue.addEventListener("change", show, { signal });
  labelling.addEventListener(
    "answer",
    () => {
      if (labelling.busy) return;
      queue.ask();
      measure();
      show();
    },
    { signal },
  );
  store.listen((changed) => {
    if (changed.has("by")) queue.ask();
  }, signal);
  on_truth(() => show(), signal);
  addEventListener(
    "keydown",
    (event) => {
      if (typing(event) || event.ctrlKey || event.metaKey || event.altKey) return;
      const name = /^[1-9]$/.test(event.key) ? names()[Number(event.key) - 1] : undefined;
      if (name !== undefined) say(name);
      else if (NO_LABEL_KEYS.includes(event.key) && !event.target.closest("button")) skip();
      else if (event.key === "Backspace" || event.key === "u") undo();
      else return;
      event.preventDefault();
    },
    { signal },
  );
  signal.addEventListener("abort", () => {
    asked.stop();
    forget(image);
  });
  queue.ask();
  measure();
  show();
  return Object.assign(element, { start: () => element.focus() });
}

const typing = (event) => event.target.closest("input:not([type=checkbox]), textarea, select, dialog") !== null;

// The pictures to judge, the most useful first; those that were skipped or said do not come again, nor do their copies.
class Queue extends EventTarget {
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
    const request = labelling.request;
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

// The classifier, one training at a time; an answer that comes in meanwhile is learned by the next.
class Learning extends EventTarget {
  #running = false;
  #again = false;

  constructor(kept) {
    super();
    this.kept = kept;
  }

  train() {
    return post("/v1/train", { ...by_prompts(), save: LEARNED });
  }

  // Trains in the background, and answers by what was learned where that is right at least as often on answers that it
  // had not seen.
  async soon() {
    this.#again = true;
    if (this.#running) return;
    this.#running = true;
    while (this.#again) {
      this.#again = false;
      try {
        const training = await this.train();
        this.dispatchEvent(new CustomEvent("learned", { detail: training }));
        if (helps(training)) this.use();
      } catch {
        // Too few answers yet, or all of one label: the next ones help.
      }
    }
    this.#running = false;
  }

  use() {
    if (store.now.classifier === LEARNED) labelling.ask();
    else store.edit({ classifier: LEARNED });
    this.kept.read();
  }
}

function helps({ ways }) {
  const learned = ways.at(-1);
  const rule = ways.find((way) => way.name.endsWith(`, ${store.now.rule}`)) ?? ways[0];
  return learned.accuracy >= rule.accuracy;
}

// The answers as a file, out and in.
function truth_tools(read_only) {
  const input = h("input", {
    type: "file",
    accept: ".csv,text/csv",
    class: "unseen",
    tabindex: -1,
    "aria-hidden": "true",
    onchange: () => read_file(),
  });
  async function read_file() {
    const [file] = input.files;
    if (!file) return;
    try {
      const read = await put_csv("/v1/truth.csv", await file.text());
      notice(
        `${plural(read.read, "answer")} read; ${plural(read.not_in_collection, "picture")} of the file are not here.`,
      );
      truth_changed();
    } catch (error) {
      notice(`${error.message} ${error.cure ?? ""}`);
    }
    input.value = "";
  }
  async function forget_all() {
    if (!confirm("Forget everything that was said by hand of these pictures?")) return;
    await remove("/v1/truth").catch((error) => notice(error.message));
    truth_changed();
  }
  return h(
    "p",
    { class: "truth-tools" },
    h("a", { href: "/v1/truth.csv", download: "truth.csv" }, "Answers as CSV"),
    !read_only && h("button", { type: "button", class: "link", onclick: () => input.click() }, "Add those of a CSV"),
    !read_only && h("button", { type: "button", class: "link", onclick: forget_all }, "Forget all"),
    input,
  );
}
