// Tested by tests/export/page_assets_test.cc and page_test.cc.
//
// What is not near the window costs no layout, neither sections nor cards: with 6,000 pictures a
// filter takes effect in milliseconds instead of seconds.
// The script reads text with title and textContent and only ever writes numbers and fixed words
// with textContent. The choice of filters stands behind the # of the address, so that a filtered
// page can be bookmarked.

#include "lib/export/page_assets.h"

namespace zeroshelf {

const std::string_view kPageStyle = R"css(
:root {
  color-scheme: light dark;
  --paper: #f6f7f9; --card: #fff; --ink: #1b1f24; --faint: #59636e; --line: #d5dae0;
  --empty: #e9ecf0; --accent: #0b5cad; --won: #e6f0fa;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --card: #1d2127; --ink: #e8eaed; --faint: #a0a9b4; --line: #363d46;
    --empty: #2a3037; --accent: #7db8f5; --won: #1f3247;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body {
  margin: 0; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 0.9375rem/1.45 system-ui, sans-serif; overflow-wrap: anywhere;
}
h1 { margin: 0; font-size: 1.5rem; line-height: 1.2; }
h2 { margin: 2rem 0 0.25rem; font-size: 1.2rem; line-height: 1.3; }
h2 small { margin-left: 0.4rem; font-size: 0.875rem; font-weight: normal; color: var(--faint); }
p { margin: 0; }
.faint, dt { color: var(--faint); }
#filters {
  display: flex; flex-wrap: wrap; gap: 0.75rem 1.25rem; align-items: end; margin: 1rem 0;
  padding: 0.75rem 1rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 0.5rem;
}
#filters label { display: grid; gap: 0.2rem; font-size: 0.8125rem; color: var(--faint); }
#filters .wide { flex: 1 1 14rem; }
#filters select { max-width: 18rem; }
input, select, button {
  font: inherit; font-size: 0.9375rem; min-height: 2.25rem; padding: 0.25rem 0.5rem;
  color: var(--ink); background: var(--paper); border: 1px solid var(--line);
  border-radius: 0.375rem; accent-color: var(--accent);
}
input { width: 100%; min-width: 9rem; }
input[type=range] { margin: 0; padding: 0; }
button { padding: 0.25rem 0.9rem; cursor: pointer; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
section { content-visibility: auto; contain-intrinsic-size: auto 60rem; }
ul {
  display: grid; gap: 0.75rem; margin: 0.5rem 0 0; padding: 0; list-style: none;
  grid-template-columns: repeat(auto-fill, minmax(12rem, 1fr));
}
li {
  padding: 0.6rem; background: var(--card); border: 1px solid var(--line); border-radius: 0.5rem;
  content-visibility: auto; contain-intrinsic-size: auto 12rem auto 19rem;
}
.frame {
  display: grid; place-items: center; height: 10rem; margin-bottom: 0.5rem; overflow: hidden;
  background: var(--empty); border-radius: 0.25rem; text-align: center;
}
.frame img { display: block; max-width: 100%; max-height: 10rem; object-fit: contain; }
.frame p { padding: 0.5rem; font-size: 0.8125rem; color: var(--faint); }
.name { font-weight: 600; line-height: 1.3; }
.answer { margin-top: 0.25rem; }
.answer small { color: var(--faint); white-space: nowrap; }
dl {
  display: grid; grid-template-columns: max-content minmax(0, 1fr) max-content;
  margin: 0.4rem -0.3rem; font-size: 0.8125rem; line-height: 1.35; overflow-wrap: break-word;
}
dl div {
  display: grid; grid-column: 1 / -1; grid-template-columns: subgrid; column-gap: 0.5rem;
  padding: 0.15rem 0.3rem; border-radius: 0.25rem;
}
dd { margin: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.won { background: var(--won); font-weight: 600; }
.text { font-size: 0.8125rem; color: var(--faint); }
.read { color: var(--ink); }
summary { cursor: pointer; }
@media (max-width: 30rem) {
  body { padding: 0.75rem; }
  ul { grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: 0.5rem; }
  dl { display: block; }
  dl div { grid-template-columns: 1fr max-content; }
  .number { grid-area: 1 / 2; }
  dd:not(.number) { grid-column: 1 / -1; }
  #filters label, #filters select { flex: 1 1 100%; max-width: none; width: 100%; }
}
@media print { #filters { display: none; } li { break-inside: avoid; } }
)css";

const std::string_view kPageScript = R"js(
"use strict";
(() => {
  const at = (id) => document.getElementById(id);
  const controls = { label: at("label"), min: at("min"), by: at("by"), find: at("find") };
  const folded = (text) => text.normalize("NFKC").toLowerCase();

  const sections = Array.from(document.querySelectorAll("section"), (element) => ({
    element,
    matching: element.querySelector(".matching"),
    cards: Array.from(element.querySelectorAll("li"), (card) => ({
      element: card,
      score: Number(card.dataset.score),
      by: card.dataset.by,
      text: folded(card.querySelector(".name").title + " " +
                   (card.querySelector(".read")?.textContent ?? "")),
    })),
  }));
  const total = sections.reduce((sum, section) => sum + section.cards.length, 0);

  // The slider covers the scores that occur; at its left end it lets everything through.
  const fitSlider = () => {
    let low = 1;
    let high = 0;
    for (const { cards } of sections) {
      for (const { score } of cards) {
        low = Math.min(low, score);
        high = Math.max(high, score);
      }
    }
    if (low > high) [low, high] = [0, 1];
    controls.min.min = Math.floor(low * 100) / 100;
    controls.min.max = Math.ceil(high * 100) / 100;
    controls.min.step = high - low > 0.5 ? 0.01 : 0.001;
    controls.min.value = controls.min.min;
  };

  const apply = () => {
    const label = controls.label.value;
    const everyScore = controls.min.value === controls.min.min;
    const least = Number(controls.min.value);
    const by = controls.by.value;
    const words = folded(controls.find.value).split(/\s+/).filter(Boolean);
    const everything = everyScore && by === "" && words.length === 0;
    let shown = 0;
    for (const section of sections) {
      const chosen = label === "" || label === section.element.id;
      let count = 0;
      for (const card of section.cards) {
        const match = chosen && (everyScore || card.score >= least) &&
          (by === "" || by === card.by) && words.every((word) => card.text.includes(word));
        card.element.hidden = !match;
        if (match) ++count;
      }
      section.element.hidden = !chosen || (!everything && count === 0);
      section.matching.hidden = count === section.cards.length;
      section.matching.textContent = "Matching the filters: " + count;
      shown += count;
    }
    at("least").textContent = everyScore ? "any" : least.toFixed(3);
    at("status").textContent = shown === total ? "All " + total + " pictures on this page"
      : shown === 0 ? "No picture matches the filters"
      : "Matching the filters: " + shown + " of " + total + " pictures";
  };

  const reset = () => {
    controls.label.value = controls.by.value = controls.find.value = "";
    controls.min.value = controls.min.min;
  };

  const readAddress = () => {
    reset();
    for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
      if (Object.hasOwn(controls, name)) controls[name].value = value;
    }
    for (const list of [controls.label, controls.by]) {
      if (list.selectedIndex < 0) list.value = "";
    }
    apply();
  };

  const writeAddress = () => {
    const chosen = new URLSearchParams();
    for (const [name, control] of Object.entries(controls)) {
      const untouched = name === "min" ? control.min : "";
      if (control.value !== untouched) chosen.set(name, control.value);
    }
    history.replaceState(null, "", "#" + chosen);
  };

  const changed = () => {
    apply();
    writeAddress();
  };

  fitSlider();
  for (const control of Object.values(controls)) control.addEventListener("input", changed);
  at("reset").addEventListener("click", () => {
    reset();
    changed();
  });
  window.addEventListener("hashchange", readAddress);
  at("filters").hidden = false;
  readAddress();
})();
)js";

}  // namespace zeroshelf
