// What was kept; keeping what stands on the shelves now; and what moved between two of them, from where to where.

import { Newest, post, put, remove } from "./api.js";
import { bar_cell, h, notice, problem, replace } from "./dom.js";
import { NAME } from "./kept.js";
import { colour_of, labelling, one_label } from "./labelling.js";
import { make_picture_list } from "./picture_list.js";
import { store } from "./state.js";
import { percent, plural, score, with_commas } from "./text.js";

const NOW = ""; // in place of a run: what stands on the shelves now
const MOST_FLOWS = 60;
const KINDS = [
  ["runs", "Runs"],
  ["calibrations", "Calibrations"],
  ["classifiers", "Classifiers"],
];

export function make_runs(signal, collection, kept) {
  const list = h("div", { class: "kept-list" });
  const result = h("div", { class: "diff" });
  const newest = new Newest();
  let pictures = null;
  const choose = (name, label) => {
    const select = h("select", { "aria-label": label, onchange: () => store.go({ [name]: select.value }) });
    return select;
  };
  const compares = !collection.unanswered.includes("POST /v1/diff");
  const before = choose("run", "Before");
  const after = choose("other", "After");
  const element = h(
    "div",
    { class: "view runs" },
    h(
      "div",
      { class: "bar-top" },
      h("h1", {}, "Runs"),
      h("span", { class: "space" }),
      !collection.read_only && !collection.unanswered.includes("PUT /v1/runs/*") && keeper(kept),
    ),
    h(
      "div",
      { class: "scrolling" },
      list,
      compares &&
        h(
          "section",
          { class: "compare" },
          h("h2", {}, "What moved"),
          h("p", { class: "line" }, "from ", before, " to ", after),
          result,
        ),
    ),
  );

  function show_list() {
    const sections = KINDS.filter(([kind]) => kept[kind].length > 0).map(([kind, name]) =>
      h(
        "section",
        {},
        h("h2", {}, name),
        h(
          "table",
          { class: "plain" },
          h(
            "tbody",
            {},
            kept[kind].map((one) => kept_row(kind, one, collection, kept)),
          ),
        ),
      ),
    );
    const damaged = kept.damaged.map((one) => h("p", { class: "warning" }, `${one.name}: ${one.cause}`));
    replace(
      list,
      sections.length > 0
        ? sections
        : h(
            "p",
            { class: "muted" },
            compares
              ? "Nothing is kept yet. Keep the shelves under a name, change the labels, and see here what moved."
              : "Nothing is kept yet. A server without mpirun keeps the shelves, and says what moved.",
          ),
      damaged,
    );
    const options = () => [
      h("option", { value: NOW }, "the shelves now"),
      kept.runs.map((run) => h("option", { value: run.name }, run.name)),
    ];
    replace(before, ...options());
    replace(after, ...options());
    before.value = store.now.run;
    after.value = store.now.other;
  }

  const side = (name) => (name === NOW ? one_label(labelling.request) : name);

  function compare() {
    if (!compares) return;
    pictures?.close();
    pictures = null;
    const request = { before: side(store.now.run), after: side(store.now.other) };
    if (store.now.run === store.now.other || !request.before || !request.after) {
      newest.stop();
      replace(result, h("p", { class: "muted" }, kept.runs.length > 0 ? "Choose two that differ." : ""));
      return;
    }
    newest.run(
      (abort) => post("/v1/diff", { ...request, limit: 0 }, abort),
      (diff) => show_diff(diff, request),
      (error) => replace(result, problem(error)),
    );
  }

  function show_diff(diff, request) {
    const moved = diff.transitions.filter((one) => one.from !== one.to);
    const most = Math.max(1, ...moved.map((one) => one.pictures));
    const shown = h("div", { class: "moved" });
    const rows = moved.slice(0, MOST_FLOWS).map((flow) => {
      const open = h(
        "button",
        { type: "button", class: "link", onclick: () => show_moved(flow, request, shown, open) },
        with_commas(flow.pictures),
      );
      return h(
        "tr",
        {},
        h("td", {}, flow.from ?? "unsure"),
        h("td", { "aria-label": "to" }, "→"),
        h("td", {}, flow.to ?? "unsure"),
        bar_cell(flow.pictures / most, colour_of(flow.to)),
        h("td", { class: "number" }, open),
      );
    });
    const both = diff.same + diff.moved;
    const only = [
      [diff.only_before, "only before"],
      [diff.only_after, "only after"],
    ]
      .filter(([count]) => count > 0)
      .map(([count, where]) => `, ${with_commas(count)} ${where}`);
    replace(
      result,
      h(
        "p",
        {},
        h("strong", {}, `${plural(diff.moved, "picture")} moved`),
        both > 0 && `, ${percent(diff.moved / both)} of ${with_commas(both)}`,
        only,
        ".",
      ),
      h("table", { class: "flows" }, h("caption", { class: "unseen" }, "From, to, pictures"), h("tbody", {}, rows)),
      moved.length > MOST_FLOWS && h("p", { class: "muted" }, `and ${moved.length - MOST_FLOWS} more ways`),
      shown,
    );
  }

  function show_moved(flow, request, place, button) {
    pictures?.close();
    for (const other of result.querySelectorAll("[aria-expanded]")) other.removeAttribute("aria-expanded");
    button.setAttribute("aria-expanded", "true");
    pictures = make_picture_list({
      name: `From ${flow.from ?? "unsure"} to ${flow.to ?? "unsure"}`,
      fetch: (offset, limit) => post("/v1/diff", { ...request, from: flow.from, to: flow.to, offset, limit }),
      more: (picture) => ({
        fill: picture.to_score,
        colour: colour_of(picture.to),
        caption: `${score(picture.from_score)} → ${score(picture.to_score)}`,
        name: `${picture.path}, from ${picture.from ?? "unsure"} to ${picture.to ?? "unsure"}`,
      }),
      failed: (error) => replace(place, problem(error)),
    });
    replace(place, h("h3", {}, `From ${flow.from ?? "unsure"} to ${flow.to ?? "unsure"}`), pictures.element);
    place.scrollIntoView({ block: "nearest" });
  }

  kept.addEventListener("change", () => (show_list(), compare()), { signal });
  labelling.addEventListener(
    "answer",
    () => {
      if (!labelling.busy && (store.now.run === NOW || store.now.other === NOW)) compare();
    },
    { signal },
  );
  store.listen((changed) => {
    if (!changed.has("run") && !changed.has("other")) return;
    show_list();
    compare();
  }, signal);
  signal.addEventListener("abort", () => {
    newest.stop();
    pictures?.close();
  });
  show_list();
  compare();
  kept.read().catch((error) => replace(list, problem(error)));
  return element;
}

// Keeps the answers on the shelves under a name.
function keeper(kept) {
  const name = h("input", {
    type: "text",
    placeholder: "a name",
    pattern: NAME,
    required: true,
    "aria-label": "Name of the run",
    title: "Letters, digits, - _ and .",
  });
  const button = h("button", { type: "submit" }, "Keep the shelves");
  const submit = async (event, over = false) => {
    event?.preventDefault();
    if (!labelling.request) return notice("There are no labels yet.");
    try {
      const run = await put(`/v1/runs/${encodeURIComponent(name.value)}`, { ...one_label(labelling.request), replace: over });
      notice(`Kept ${plural(run.pictures, "answer")} as ${run.name}.`);
      store.edit({ run: run.name });
      name.value = "";
      await kept.read();
    } catch (error) {
      const taken = !over && kept.runs.some((run) => run.name === name.value);
      notice(
        taken ? `There is a run ${name.value} already.` : error.message,
        taken ? { name: "Replace it", run: () => submit(null, true) } : undefined,
      );
    }
  };
  return h("form", { class: "keeper", onsubmit: submit }, name, button);
}

function kept_row(kind, one, collection, kept) {
  const use = { calibrations: "calibration", classifiers: "classifier" }[kind];
  const drop = async () => {
    if (!confirm(`Remove ${one.name}?`)) return;
    await remove(`/v1/${kind}/${encodeURIComponent(one.name)}`).catch((error) => notice(error.message));
    if (use && store.now[use] === one.name) store.edit({ [use]: "" });
    await kept.read();
  };
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, one.name),
    h("td", { class: "muted" }, one.about),
    h("td", { class: "muted" }, one.created.slice(0, 16).replace("T", " ")),
    h("td", { class: "number muted" }, plural(one.pictures, "picture")),
    h(
      "td",
      { class: "number" },
      use &&
        h(
          "button",
          {
            type: "button",
            class: "link",
            onclick: () => store.go({ calibration: "", classifier: "", [use]: one.name, view: "shelves" }),
          },
          "Use",
        ),
      !collection.read_only &&
        h("button", { type: "button", class: "link", "aria-label": `Remove ${one.name}`, onclick: drop }, "Remove"),
    ),
  );
}
