// Handing over: what would be written where, before anything is; then how far it is, and the way back.

import { Newest, get, post, remove } from "./api.js";
import { announce, h, new_name, notice, problem, replace, set_text } from "./dom.js";
import { NAME } from "./kept.js";
import { labelling, one_label } from "./labelling.js";
import { bytes, duration, plural, with_commas } from "./text.js";

const POLL_MS = 300;
const MODES = [
  ["symlink", "symbolic links"],
  ["hardlink", "hard links"],
  ["copy", "copies"],
  ["move", "move the files"],
];
const FORMATS = {
  folders: "folders by label",
  imagefolder: "folders to train from",
  jsonl: "JSON Lines",
  csv: "a table (CSV)",
  labelstudio: "Label Studio",
  coco: "COCO",
  fiftyone: "FiftyOne",
  html: "a page with pictures",
};
const EXTENSIONS = { jsonl: ".jsonl", csv: ".csv", coco: ".json", html: ".html" };

export function make_export(signal, collection) {
  const newest = new Newest();
  const preview = h("div", { class: "preview", "aria-live": "polite" });
  const jobs = make_jobs(signal);
  const fields = make_fields(collection);
  const start = h("button", { type: "submit", class: "primary", disabled: true }, "Hand over");
  const form = h(
    "form",
    { class: "export-form", oninput: ask, onchange: ask, onsubmit: begin },
    fields.element,
    h("p", { class: "actions" }, start),
  );
  const element = h(
    "div",
    { class: "view export" },
    h("div", { class: "bar-top" }, h("h1", {}, "Hand over")),
    h("div", { class: "scrolling" }, h("div", { class: "two" }, form, preview), jobs.element),
  );
  if (!collection.exports) {
    const why = collection.read_only
      ? "The server was started with --read-only."
      : "The server has no folder to export to.";
    replace(
      element,
      h("div", { class: "bar-top" }, h("h1", {}, "Hand over")),
      h(
        "div",
        { class: "welcome" },
        h("p", {}, why),
        h("p", { class: "muted" }, "zeroshelf-query export does it on the command line."),
      ),
    );
    return element;
  }

  function request() {
    if (!labelling.request || !fields.name.checkValidity()) return null;
    return { ...one_label(labelling.request), ...fields.read() };
  }

  function ask() {
    fields.arrange();
    const wanted = request();
    start.disabled = true;
    if (!wanted) {
      newest.stop();
      replace(
        preview,
        h("p", { class: "muted" }, labelling.request ? "Give it a name." : "Type labels first, on the left."),
      );
      return;
    }
    newest.run(
      (abort) => post("/v1/export/preview", wanted, abort),
      (answer) => {
        start.disabled = answer.problem !== null || answer.exported === 0;
        set_text(
          start,
          answer.undo ? `Move ${plural(answer.exported, "file")}` : `Hand over ${plural(answer.exported, "picture")}`,
        );
        replace(preview, draw_preview(answer, fields.mode.value));
      },
      (error) => replace(preview, problem(error)),
    );
  }

  async function begin(event) {
    event.preventDefault();
    start.disabled = true;
    try {
      jobs.follow(await post("/v1/export", request()));
    } catch (error) {
      replace(preview, problem(error));
    }
  }

  labelling.addEventListener(
    "answer",
    () => {
      if (labelling.busy) return;
      fields.show_labels();
      ask();
    },
    { signal },
  );
  jobs.element.addEventListener("settled", ask);
  signal.addEventListener("abort", () => newest.stop());
  fields.show_labels();
  ask();
  return element;
}

function make_fields(collection) {
  const today = new Date().toISOString().slice(0, 10);
  const field = (label, input, about) => {
    input.id ||= new_name("field");
    return h(
      "div",
      { class: "field" },
      h("label", { for: input.id }, label),
      input,
      about && h("span", { class: "muted" }, about),
    );
  };
  const name = h("input", {
    type: "text",
    value: `shelves-${today}`,
    required: true,
    pattern: NAME,
    autocomplete: "off",
    title: "Letters, digits, - _ and .",
  });
  const format = h(
    "select",
    {},
    collection.export_formats.map((one) => h("option", { value: one.name }, FORMATS[one.name] ?? one.name)),
  );
  const mode = h(
    "select",
    {},
    MODES.map(([value, text]) => h("option", { value }, text)),
  );
  const least = h("input", { type: "number", min: 0, max: 1, step: 0.01, placeholder: "all" });
  const most = h("input", { type: "number", min: 1, step: 1, placeholder: "all" });
  const wrong = h("input", { type: "number", min: 0, max: 99, step: "any", placeholder: "any" });
  const validation = h("input", { type: "number", min: 0, max: 1, step: 0.05, value: 0.2 });
  const unsure = h("input", { type: "checkbox", id: new_name("unsure") });
  const only = h("fieldset", { class: "only" }, h("legend", {}, "Labels"));
  const mode_field = field("As", mode);
  const validation_field = field("For validation", validation, "share of each label");
  const element = h(
    "div",
    { class: "fields" },
    field("Name", name, collection.export_folder && `in ${collection.export_folder}`),
    field("Format", format),
    mode_field,
    validation_field,
    field("Score from", least),
    field("Of each label, at most", most),
    field("At most this % wrong", wrong, "as far as what you judged tells"),
    h("label", { class: "check", for: unsure.id }, unsure, "the unsure ones instead"),
    only,
  );
  const chosen_format = () => collection.export_formats.find((one) => one.name === format.value);
  function arrange() {
    const { places_pictures, splits } = chosen_format();
    mode_field.hidden = !places_pictures;
    validation_field.hidden = !splits;
    const ending = EXTENSIONS[format.value] ?? "";
    const bare = Object.values(EXTENSIONS).reduce(
      (text, one) => (text.endsWith(one) ? text.slice(0, -one.length) : text),
      name.value,
    );
    if (document.activeElement !== name && name.value !== bare + ending) name.value = bare + ending;
  }
  function read() {
    const { places_pictures, splits } = chosen_format();
    const boxes = [...only.querySelectorAll("input")];
    const labels = boxes.filter((box) => box.checked).map((box) => box.value);
    return {
      name: name.value,
      format: format.value,
      ...(places_pictures && { mode: mode.value }),
      ...(splits && { validation: Number(validation.value) }),
      ...(least.value !== "" && { min_score: Number(least.value) }),
      ...(most.value !== "" && { max_per_label: Number(most.value) }),
      ...(wrong.value !== "" && { at_most_wrong: Number(wrong.value) / 100 }),
      ...(labels.length < boxes.length && { only: labels }),
      ...(unsure.checked && { unsure: true }),
    };
  }
  function show_labels() {
    const off = new Set([...only.querySelectorAll("input:not(:checked)")].map((box) => box.value));
    const labels = labelling.answer?.labels ?? [];
    replace(
      only,
      h("legend", {}, "Labels"),
      labels.map((label) => {
        const id = new_name("only");
        return h(
          "label",
          { class: "check", for: id },
          h("input", { type: "checkbox", id, value: label.name, checked: !off.has(label.name) }),
          label.name,
        );
      }),
    );
  }
  arrange();
  return { element, name, mode, arrange, read, show_labels };
}

function draw_preview(answer, mode) {
  const verb = answer.undo ? "would move" : "would be written";
  const left = [
    answer.unsure > 0 && `${with_commas(answer.unsure)} unsure`,
    answer.left_out > 0 && `${with_commas(answer.left_out)} beyond the most of a label`,
  ].filter(Boolean);
  return [
    answer.problem && problem({ ...answer.problem, message: answer.problem.cause }),
    h(
      "p",
      {},
      h("strong", {}, plural(answer.exported, "picture")),
      ` ${verb}`,
      mode === "copy" && `, ${bytes(answer.bytes)}`,
      " to",
    ),
    h("p", { class: "path" }, h("code", {}, answer.target)),
    left.length > 0 && h("p", { class: "muted" }, `Not: ${left.join(", ")}.`),
    answer.promise && answer.promise.told.map((line) => h("p", { class: "muted" }, line)),
    answer.labels.length > 0 &&
      h(
        "table",
        { class: "plain" },
        h("caption", { class: "unseen" }, "What would be in each folder"),
        h(
          "tbody",
          {},
          answer.labels.map((label) =>
            h(
              "tr",
              {},
              h("th", { scope: "row" }, label.name),
              h("td", {}, label.folder && h("code", {}, `${label.folder}/`)),
              h("td", { class: "number" }, with_commas(label.count)),
            ),
          ),
        ),
      ),
    answer.examples.length > 0 &&
      h(
        "details",
        {},
        h("summary", {}, "Some of the files"),
        h(
          "ul",
          { class: "examples" },
          answer.examples.map((one) => h("li", {}, h("code", {}, one.source), " → ", h("code", {}, one.target))),
        ),
      ),
    answer.undo && h("p", { class: "muted" }, "It can be undone: every file goes back to where it was."),
  ];
}

// Exports and undos of the server, the newest first; those that run are followed.
function make_jobs(signal) {
  const list = h("ol", { class: "jobs" });
  const element = h("section", { "aria-label": "Exports" }, list);
  const items = new Map();

  function show(job) {
    let item = items.get(job.id);
    if (!item) {
      item = h("li", {});
      items.set(job.id, item);
      list.prepend(item);
    }
    const running = job.state === "running";
    const what = `${job.kind === "undo" ? "Undo of " : ""}${job.name}`;
    replace(
      item,
      h(
        "p",
        { class: "line" },
        h("strong", {}, what),
        h(
          "span",
          { class: "muted" },
          running
            ? `${with_commas(job.done)} of ${with_commas(job.total)}`
            : `${job.state} after ${duration(job.seconds)}`,
        ),
      ),
      running && h("progress", { max: Math.max(1, job.total), value: job.done, "aria-label": what }),
      job.told && h("p", {}, job.told),
      job.error && problem({ ...job.error, message: job.error.cause }),
      job.failures.map((one) => h("p", { class: "warning" }, [`${one.subject}: ${one.cause}`, one.cure].filter(Boolean).join("; "))),
      h(
        "p",
        { class: "actions" },
        running &&
          h(
            "button",
            { type: "button", onclick: () => remove(`/v1/jobs/${encodeURIComponent(job.id)}`).then(show, tell) },
            "Stop",
          ),
        job.undo &&
          h("button", { type: "button", class: "undo", onclick: () => undo(job) }, "Undo: put every file back"),
      ),
    );
    return running;
  }

  const tell = (error) => notice(error.message);

  async function undo(job) {
    try {
      await follow(await post("/v1/undo", { name: job.name }));
      await read();
    } catch (error) {
      tell(error);
    }
  }

  async function follow(first) {
    let job = first;
    while (show(job) && !signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      job = await get(`/v1/jobs/${encodeURIComponent(job.id)}`, signal);
    }
    announce(`${job.name}: ${job.state}. ${job.told}`);
    element.dispatchEvent(new Event("settled"));
  }

  async function read() {
    const { jobs } = await get("/v1/jobs", signal);
    for (const job of jobs.toReversed()) if (show(job)) follow(job).catch(() => {});
  }

  read().catch(() => {});
  return { element, follow };
}
