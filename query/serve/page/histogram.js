// How the scores of one label lie, small enough for a line of text; and the threshold that is dragged over those of all.

import { h, set_text, svg } from "./dom.js";
import { percent, with_commas } from "./text.js";

const WIDE = 100;
const HIGH = 20;

// A label's few pictures beside another's many: the root of the counts keeps both in sight.
const height_of = (count, most) => (count === 0 ? 0 : Math.max(1, HIGH * Math.sqrt(count / most)));

function outline(counts, most) {
  const wide = WIDE / counts.length;
  const steps = counts.map((count, bin) => {
    const top = (HIGH - height_of(count, most)).toFixed(2);
    return `L${(bin * wide).toFixed(2)} ${top}L${((bin + 1) * wide).toFixed(2)} ${top}`;
  });
  return `M0 ${HIGH}${steps.join("")}L${WIDE} ${HIGH}Z`;
}

// An svg whose show(counts, most, threshold) draws it; what lies below the threshold is paler.
export function make_histogram(name) {
  const shape = svg("path", { class: "bars" });
  const veil = svg("rect", { class: "veil", x: 0, y: 0, width: 0, height: HIGH });
  const element = svg(
    "svg",
    {
      class: "histogram",
      viewBox: `0 0 ${WIDE} ${HIGH}`,
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": name,
    },
    shape,
    veil,
  );
  const show = (counts, most, threshold) => {
    const line = outline(counts, most);
    if (shape.getAttribute("d") !== line) shape.setAttribute("d", line);
    veil.setAttribute("width", WIDE * threshold);
  };
  return { element, show };
}

// The threshold: a slider that lies on the histogram of all labels' scores. `change(value)` is called while it moves.
export function make_threshold(change) {
  const histogram = make_histogram("Scores of all pictures");
  const slider = h("input", {
    type: "range",
    min: 0,
    max: 1,
    step: 0.005,
    "aria-label": "Threshold: pictures with a lower score are unsure",
    oninput: () => change(Number(slider.value)),
  });
  const number = h("output", { class: "number" });
  const below = h("span", { class: "muted" });
  const element = h(
    "div",
    { class: "threshold" },
    h("div", { class: "line" }, h("span", { class: "name" }, "Threshold"), number, below),
    h("div", { class: "over" }, histogram.element, slider),
  );
  const show = (counts, threshold, unsure, pictures) => {
    histogram.show(counts, Math.max(1, ...counts), threshold);
    if (document.activeElement !== slider || Number(slider.value) !== threshold) slider.value = threshold;
    slider.setAttribute("aria-valuetext", threshold > 0 ? `${threshold}, ${with_commas(unsure)} unsure` : "none");
    set_text(number, threshold > 0 ? threshold.toFixed(3).replace(/0$/, "") : "none");
    set_text(below, unsure > 0 ? `${with_commas(unsure)} unsure, ${percent(unsure / pictures)}` : "");
  };
  return { element, show };
}
