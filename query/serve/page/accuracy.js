// How often answers agree with what people said, with the interval in which the truth lies.

import { bar_cell, css_percent, h, replace } from "./dom.js";
import { percent, plural } from "./text.js";

const MOST_ROWS = 12;

export function make_accuracy() {
  const now = h("div", { class: "accuracy", "aria-live": "off" });
  const more = h("div", { "aria-live": "polite" });
  const element = h("div", {}, now, more);
  return {
    element,
    nothing: () => replace(now),
    show_now(evaluation, classifier) {
      const asked = evaluation.ways.find((way) => way.label === null);
      if (!asked || evaluation.pictures === 0) return replace(now);
      const what = classifier ? `what ${classifier} learned` : "the labels";
      replace(
        now,
        h(
          "h3",
          {},
          `Of the ${plural(evaluation.pictures, "answer")} you gave, ${what} agree${classifier ? "s" : ""} with`,
        ),
        ways_table([{ ...asked, name: "" }]),
        h(
          "p",
          { class: "muted" },
          classifier
            ? "It learned from these; look below for those that it had not seen."
            : "These were the least sure ones: of all pictures it is more.",
        ),
      );
    },
    // asked: how what was asked for decides, e.g. "classifier judged".
    show_evaluation(evaluation, asked) {
      const ways = evaluation.ways.filter((way) => way.label === null);
      replace(
        more,
        h("h3", {}, `Each rule, on ${plural(evaluation.pictures, "answer")}`),
        evaluation.warnings.map((text) => h("p", { class: "warning" }, text)),
        ways_table(ways, asked),
        by_label(evaluation.labels),
        mistaken(evaluation.confusion),
      );
    },
    show_training({ training, ways, comparisons, kept }) {
      const learned = comparisons.find((one) => one.first.endsWith("mix")) ?? comparisons[0];
      replace(
        more,
        h("h3", {}, `Learned from ${plural(training.pictures, "answer")}, judged on those that it had not seen`),
        ways_table(ways),
        learned && h("p", { class: "muted" }, against(learned)),
        h("p", { class: "muted" }, "Kept as ", h("strong", {}, kept), "."),
      );
    },
    show_calibration({ calibration, kept }) {
      replace(
        more,
        h("h3", {}, `Calibrated on ${plural(calibration.pictures, "answer")}`),
        h(
          "p",
          {},
          kept
            ? `Held-out accuracy ${percent(calibration.accuracy)}, before ${percent(calibration.default_accuracy)}; kept as ${kept}.`
            : "The gain is not beyond noise, so nothing was kept. More answers may tell.",
        ),
        h(
          "p",
          { class: "muted" },
          `Scores are off by ${percent(calibration.calibration_error)} on average, before by ${percent(calibration.default_calibration_error)}.`,
        ),
      );
    },
  };
}

function against({ first, difference, low, high }) {
  const points = (value) => `${value >= 0 ? "+" : "−"}${Math.abs(100 * value).toFixed(1)}`;
  return `Against ${first}: ${points(difference)} points (${points(low)} to ${points(high)}).`;
}

// A bar from 0 to 1 with the interval drawn on it.
function ways_table(ways, asked = "asked") {
  return h(
    "table",
    { class: "ways" },
    h(
      "thead",
      { class: "unseen" },
      h(
        "tr",
        {},
        ["Way", "Accuracy", "95 % interval"].map((name) => h("th", { scope: "col" }, name)),
      ),
    ),
    h(
      "tbody",
      {},
      ways.map((way) => {
        const interval = h("span", { class: "interval" });
        interval.style.left = css_percent(way.low);
        interval.style.width = css_percent(way.high - way.low);
        return h(
          "tr",
          { class: way.name === "learned" || way.name === "asked" ? "decided" : "" },
          way.name !== "" && h("th", { scope: "row" }, way.name === "asked" ? asked : way.name),
          bar_cell(way.accuracy, "", interval),
          h("td", { class: "number" }, percent(way.accuracy)),
          h("td", { class: "number muted" }, `${(100 * way.low).toFixed(0)}–${(100 * way.high).toFixed(0)}`),
        );
      }),
    ),
  );
}

function by_label(labels) {
  return h(
    "table",
    { class: "plain" },
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        [
          ["Label", ""],
          ["Right when said", "precision"],
          ["Found", "recall"],
          ["Said", ""],
        ].map(([name, title]) => h("th", { scope: "col", title }, name)),
      ),
    ),
    h(
      "tbody",
      {},
      labels
        .slice(0, MOST_ROWS)
        .map((label) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, label.label),
            h("td", { class: "number" }, percent(label.precision)),
            h("td", { class: "number" }, percent(label.recall)),
            h("td", { class: "number muted" }, label.truths),
          ),
        ),
    ),
  );
}

function mistaken(confusion) {
  const wrong = confusion.filter((one) => one.truth !== one.answer).slice(0, MOST_ROWS);
  if (wrong.length === 0) return null;
  return h(
    "ul",
    { class: "mistaken" },
    wrong.map((one) =>
      h(
        "li",
        {},
        h("strong", {}, one.truth),
        " taken for ",
        one.answer === null ? "unsure" : h("strong", {}, one.answer),
        h("span", { class: "muted" }, ` ${one.pictures}×`),
      ),
    ),
  );
}
