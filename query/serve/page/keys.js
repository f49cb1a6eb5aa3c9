// What the keyboard does everywhere, and the list of it.

import { h } from "./dom.js";

const KEYS = [
  ["/", "search"],
  ["l", "the labels"],
  ["← ↑ → ↓", "from picture to picture"],
  ["Enter", "the evidence of a picture"],
  ["Esc", "close it"],
  ["1 … 9", "when judging: what it is"],
  ["0", "when judging: skip"],
  ["Backspace", "when judging: take back"],
  ["?", "this list"],
];

export function make_keys(button, actions) {
  const dialog = h(
    "dialog",
    { class: "keys", "aria-label": "Keys" },
    h("h2", {}, "Keys"),
    h(
      "dl",
      {},
      KEYS.map(([key, what]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, what)]),
    ),
    h("form", { method: "dialog" }, h("button", {}, "Close")),
  );
  document.body.append(dialog);
  button.addEventListener("click", () => dialog.showModal());
  const run = { "/": actions.search, l: actions.labels, Escape: actions.close, "?": () => dialog.showModal() };
  addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=checkbox], [type=range]), textarea, select, dialog");
    if ((typing && event.key !== "Escape") || event.target.closest("dialog")) return;
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in run)) return;
    event.preventDefault();
    run[event.key]();
  });
}
