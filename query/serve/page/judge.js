// Judging by hand: the least sure pictures, one after the other, answered with the keys 1 to 9. What was said is kept with
// the collection; from it the labels are measured, calibrated and learned.

import { Newest, post, thumbnail_address } from "./api.js";
import { h, notice, problem, replace, set_text, announce } from "./dom.js";
import { make_accuracy } from "./accuracy.js";
import { COLOURS, labelling, labels_of, one_label } from "./labelling.js";
import { JudgingQueue } from "./judging_queue.js";
import { LEARNED, Learning, by_prompts } from "./learning.js";
import { store } from "./state.js";
import { file_name, plural, score, with_commas } from "./text.js";
import { forget, make_image, show as show_image } from "./thumbnails.js";
import { truth } from "./truth.js";

const ENOUGH = 5; // answers from which on it learns by itself
const RECENT = 24;
const NO_LABEL_KEYS = ["0", " "];

export function make_judge(signal, collection, kept) {
  const queue = new JudgingQueue(signal);
  const asked = new Newest();
  const learning = new Learning(kept);
  let said = []; // this page's answers, the last one last
  const read_only = collection.read_only;
  const learns = !read_only && !collection.unanswered.includes("POST /v1/train");

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
  const learn = h("input", { type: "checkbox", id: "learn-while-judging", checked: learns, disabled: !learns });
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
        !collection.unanswered.includes("POST /v1/train") &&
          h("label", { class: "check", for: learn.id }, learn, "learn while I answer"),
        h(
          "div",
          { class: "actions" },
          action("Train", "POST /v1/train", "a classifier from your answers, at once", train),
          action("Calibrate", "POST /v1/calibrate", "fit the rule mix to your answers", calibrate),
          action("Evaluate", "POST /v1/evaluate", "how often each rule agrees with you", evaluate),
        ),
        accuracy.element,
        truth_tools(read_only),
      ),
    ),
  );

  function action(name, needs, title, run) {
    if (collection.unanswered.includes(needs)) return null;
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
      await truth.tell(one, label);
      queue.forget(one);
      measure();
      if (learn.checked && truth.count >= ENOUGH) learning.soon();
    } catch (error) {
      said = said.filter((it) => it.picture !== one);
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
    await truth.tell(last.picture, null).catch((error) => replace(trouble, problem(error)));
    measure();
  }

  // As answers come in: how often what the page shows agrees with them.
  function measure() {
    const request = one_label(labelling.request);
    if (!request || truth.count === 0) {
      asked.stop();
      accuracy.nothing();
      return;
    }
    asked.run(
      (abort) => post("/v1/evaluate", request, abort),
      (evaluation) => accuracy.show_now(evaluation, store.now.classifier),
      () => accuracy.nothing(),
    );
  }

  async function evaluate() {
    const { way } = labelling.answer ?? {};
    accuracy.show_evaluation(await post("/v1/evaluate", one_label(labelling.request) ?? {}), way);
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
  truth.addEventListener("change", show, { signal });
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
      const read = await truth.read_csv(await file.text());
      notice(
        `${plural(read.read, "answer")} read; ${plural(read.not_in_collection, "picture")} of the file are not here.`,
      );
    } catch (error) {
      notice(`${error.message} ${error.cure ?? ""}`);
    }
    input.value = "";
  }
  async function forget_all() {
    if (!confirm("Forget everything that was said by hand of these pictures?")) return;
    await truth.forget_all().catch((error) => notice(error.message));
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
