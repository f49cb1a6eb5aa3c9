// The collection in numbers, and how the labels share it.

import { get } from "./api.js";
import { bar_cell, h, problem, replace } from "./dom.js";
import { colour_of, labelling } from "./labelling.js";
import { store } from "./state.js";
import { bytes, percent, with_commas } from "./text.js";

export function make_statistics(signal, collection) {
  const numbers = h("div", {});
  const shares = h("div", {});
  const element = h(
    "div",
    { class: "view statistics" },
    h("div", { class: "bar-top" }, h("h1", {}, "Statistics")),
    h("div", { class: "scrolling two" }, numbers, shares),
  );

  get("/v1/stats", signal).then(
    (stats) => replace(numbers, draw_stats(stats, collection)),
    (error) => error.name !== "AbortError" && replace(numbers, problem(error)),
  );
  const show = () => replace(shares, labelling.answer && draw_shares(labelling.answer));
  labelling.addEventListener("answer", show, { signal });
  show();
  return element;
}

function list(title, pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== "" && value !== undefined);
  return h(
    "section",
    {},
    h("h2", {}, title),
    h(
      "dl",
      { class: "numbers" },
      known.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]),
    ),
  );
}

function draw_stats(stats, collection) {
  const scripts = Object.entries(stats.unread_scripts).map(([script, count]) => `${script} ${with_commas(count)}`);
  const skipped = h(
    "button",
    { type: "button", class: "link", onclick: () => store.go({ view: "skips", reason: "" }) },
    with_commas(stats.skipped),
  );
  return [
    list("Pictures", [
      ["indexed", with_commas(stats.pictures)],
      [
        "with text",
        `${with_commas(stats.with_text)}, ${percent(stats.pictures > 0 ? stats.with_text / stats.pictures : NaN)}`,
      ],
      ["skipped files", stats.skipped > 0 ? skipped : "0"],
      ["lying on their side", stats.turned > 0 ? with_commas(stats.turned) : null],
      ["with scripts that were not read", scripts.join(", ")],
      ["judged by hand", collection.truths > 0 ? with_commas(collection.truths) : null],
    ]),
    list("Collection", [
      ["name", collection.name],
      ["created", stats.created.slice(0, 10)],
      ["commits", with_commas(stats.commits)],
      ["on disk", bytes(stats.disk_bytes)],
      ["removed, until compact", stats.tombstones > 0 ? with_commas(stats.tombstones) : null],
      [
        "parts",
        collection.parts.length > 1
          ? collection.parts.map((part) => `${part.name} ${with_commas(part.pictures)}`).join(", ")
          : null,
      ],
    ]),
    list("Model", [
      ["name", stats.model_name],
      ["numbers a picture", with_commas(stats.dimension)],
      ["languages of the text", stats.ocr_languages],
      ["version", collection.version],
    ]),
  ];
}

function draw_shares(answer) {
  const rows = [
    ...answer.labels,
    { name: "unsure", count: answer.unsure, share: answer.pictures > 0 ? answer.unsure / answer.pictures : 0 },
  ];
  const most = Math.max(1e-9, ...rows.map((row) => row.share));
  return h(
    "section",
    {},
    h("h2", {}, "On the shelves"),
    h(
      "table",
      { class: "flows" },
      h("caption", { class: "unseen" }, "Labels by share"),
      h(
        "tbody",
        {},
        rows.map((row) => {
          return h(
            "tr",
            {},
            h("th", { scope: "row" }, row.name),
            bar_cell(row.share / most, colour_of(row.name)),
            h("td", { class: "number" }, with_commas(row.count)),
            h("td", { class: "number muted" }, percent(row.share)),
          );
        }),
      ),
    ),
  );
}
