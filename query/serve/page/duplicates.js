// What is there twice: the same picture, one picture with other words, the same words, the very file.

import { Newest, get, thumbnail_address } from "./api.js";
import { h, problem, replace, set_text } from "./dom.js";
import { look_at } from "./picture_tile.js";
import { key_of, store } from "./state.js";
import { bytes, duration, file_name, plural, with_commas } from "./text.js";
import { forget, make_image, show as show_image } from "./thumbnails.js";

const PAGE = 40; // groups
const FIRST_PICTURES = 30; // of a group
const KINDS = [
  ["same_picture", "the same picture"],
  ["other_words", "with other words"],
  ["same_words", "the same words"],
  ["same_file", "the same file"],
];

export function make_duplicates(signal) {
  const newest = new Newest();
  const tabs = h("div", { class: "choices", role: "group", "aria-label": "Kind" });
  const told = h("span", { class: "muted" });
  const list = h("ol", { class: "groups" });
  const more = h("button", { type: "button", hidden: true, onclick: () => ask(list.children.length) }, "More");
  const scrolling = h("div", { class: "scrolling" }, list, more);
  const element = h(
    "div",
    { class: "view duplicates" },
    h("div", { class: "bar-top" }, h("h1", {}, "Duplicates"), tabs, h("span", { class: "space" }), told),
    scrolling,
  );
  const nearly = new IntersectionObserver(
    ([entry]) => entry.isIntersecting && !more.hidden && !newest.running && ask(list.children.length),
    { root: scrolling, rootMargin: "600px" },
  );

  function ask(offset = 0) {
    if (offset === 0) {
      empty();
      set_text(told, "Comparing…");
    }
    const { kind } = store.now;
    const query = new URLSearchParams({ offset, limit: PAGE, ...(kind !== "all" && { kind }) });
    newest.run(
      (abort) => get(`/v1/duplicates?${query}`, abort),
      show,
      (error) => (set_text(told, ""), replace(list, problem(error))),
    );
  }

  function show(answer) {
    const { kind } = store.now;
    const all = Object.values(answer.kinds).reduce((sum, count) => sum + count, 0);
    const choice = ([value, name, count]) =>
      h(
        "button",
        { type: "button", "aria-pressed": String(kind === value), onclick: () => store.go({ kind: value }) },
        name,
        h("span", { class: "count" }, with_commas(count)),
      );
    replace(
      tabs,
      choice(["all", "all", all]),
      KINDS.map(([value, name]) => choice([value, name, answer.kinds[value]])),
    );
    set_text(
      told,
      `${plural(answer.count, "group")} in ${duration(answer.seconds)}${answer.gone > 0 ? `; ${plural(answer.gone, "file")} gone` : ""}`,
    );
    list.append(...answer.groups.map(group_element));
    if (answer.count === 0) replace(list, h("li", { class: "welcome" }, h("p", {}, "Nothing is there twice.")));
    more.hidden = answer.offset + answer.groups.length >= answer.count;
  }

  function empty() {
    for (const image of list.querySelectorAll("img")) forget(image);
    replace(list);
    more.hidden = true;
  }

  store.listen((changed) => {
    if (changed.has("kind")) ask();
  }, signal);
  signal.addEventListener("abort", () => {
    newest.stop();
    nearly.disconnect();
    empty();
  });
  nearly.observe(more);
  ask();
  return element;
}

function group_element({ kind, pictures }) {
  const name = KINDS.find(([value]) => value === kind)?.[1] ?? kind;
  return h(
    "li",
    { class: "group" },
    h("h2", {}, name, h("span", { class: "count" }, plural(pictures.length, "picture"))),
    h(
      "ul",
      { class: "row" },
      pictures.slice(0, FIRST_PICTURES).map(picture_element),
      pictures.length > FIRST_PICTURES &&
        h("li", { class: "muted" }, `and ${with_commas(pictures.length - FIRST_PICTURES)} more`),
    ),
  );
}

function picture_element(picture) {
  const image = make_image("");
  const lazy = new IntersectionObserver(([entry]) => {
    if (!entry.isIntersecting) return;
    lazy.disconnect();
    show_image(image, thumbnail_address(picture, 320));
  });
  lazy.observe(image);
  return h(
    "li",
    {},
    h(
      "button",
      {
        type: "button",
        class: "tile",
        "data-key": key_of(picture),
        title: picture.path,
        onclick: () => look_at(picture, "open"),
      },
      h("span", { class: "frame" }, image),
      h("span", { class: "caption" }, file_name(picture.path)),
      h("span", { class: "caption muted" }, `${picture.width} × ${picture.height}, ${bytes(picture.size_bytes)}`),
    ),
  );
}
