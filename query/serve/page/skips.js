// Files that could not be indexed, and why.

import { Newest, get } from "./api.js";
import { h, problem, replace, set_text } from "./dom.js";
import { store } from "./state.js";
import { file_name, folder_name, plural, with_commas } from "./text.js";

const PAGE = 200;

export function make_skips(signal) {
  const newest = new Newest();
  const choices = h("div", { class: "choices", role: "group", "aria-label": "Reason" });
  const told = h("span", { class: "muted" });
  const rows = h("tbody", {});
  const trouble = h("div", {});
  const more = h("button", { type: "button", hidden: true, onclick: () => ask(rows.children.length) }, "More");
  const element = h(
    "div",
    { class: "view skips" },
    h("div", { class: "bar-top" }, h("h1", {}, "Skipped"), h("span", { class: "space" }), told),
    h(
      "div",
      { class: "scrolling" },
      choices,
      trouble,
      h(
        "table",
        { class: "plain files" },
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            ["File", "Reason", "What it says"].map((name) => h("th", { scope: "col" }, name)),
          ),
        ),
        rows,
      ),
      more,
    ),
  );

  function ask(offset = 0) {
    if (offset === 0) replace(rows);
    const { reason } = store.now;
    const query = new URLSearchParams({ offset, limit: PAGE, ...(reason && { reason }) });
    newest.run(
      (abort) => get(`/v1/skips?${query}`, abort),
      show,
      (error) => replace(trouble, problem(error)),
    );
  }

  function show(answer) {
    const { reason } = store.now;
    const choice = (value, name, count) =>
      h(
        "button",
        { type: "button", "aria-pressed": String(reason === value), onclick: () => store.go({ reason: value }) },
        name,
        h("span", { class: "count" }, with_commas(count)),
      );
    const all = answer.reasons.reduce((sum, one) => sum + one.count, 0);
    replace(
      choices,
      answer.reasons.length > 1 && choice("", "all", all),
      answer.reasons.map((one) => choice(one.reason, one.reason.replaceAll("_", " "), one.count)),
    );
    set_text(told, all === 0 ? "" : plural(all, "file"));
    replace(trouble, all === 0 && h("div", { class: "welcome" }, h("p", {}, "Every file could be read.")));
    rows.parentElement.hidden = all === 0;
    rows.append(
      ...answer.skips.map((skip) =>
        h(
          "tr",
          {},
          h(
            "th",
            { scope: "row", class: "path" },
            h("strong", {}, file_name(skip.path)),
            h("span", { class: "muted" }, folder_name(skip.path)),
          ),
          h("td", {}, skip.reason.replaceAll("_", " ")),
          h("td", { class: "muted" }, skip.detail),
        ),
      ),
    );
    more.hidden = answer.offset + answer.skips.length >= answer.count;
  }

  store.listen((changed) => {
    if (changed.has("reason")) ask();
  }, signal);
  signal.addEventListener("abort", () => newest.stop());
  ask();
  return element;
}
