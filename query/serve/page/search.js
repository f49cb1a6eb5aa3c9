// Search: by words, by a picture that is dropped, by one of the collection, with more of this and less of that, among some
// pictures only; and at each hit why it is one.

import { CLIENT, Newest, get, post, thumbnail_address } from "./api.js";
import { announce, h, new_name, problem, replace, set_text } from "./dom.js";
import { labelling } from "./labelling.js";
import { clear_tile, draw_tile, look_at, make_tile } from "./picture_tile.js";
import { parse_term, search_request, text_term, with_weight } from "./search_terms.js";
import { key_of, store } from "./state.js";
import { duration, plural, with_commas } from "./text.js";
import { hold_during, make_image, show as show_image } from "./thumbnails.js";
import { Tiles } from "./tiles.js";

const FIRST_HITS = 100;
const MOST_HITS = 10000;
const INDEXED_FROM = 1e6; // pictures; from there on an index proposes some, unless all are to be compared
const ASKED = ["text", "terms", "in", "all", "group", "exact", "filters"];
const HIT_TILE = { width: 156, height: 156 };
const MOST_PICTURE_BYTES = 64e6; // an answer for what is larger would be the server's refusal, after a long wait

// Of the newest search: what the evidence tells of a picture that is a hit.
export const hits_by_key = new Map();

// The picture file that was dropped, pasted or chosen; an address cannot hold it.
let dropped = null;
const dropped_news = new EventTarget();

export async function search_by_file(file) {
  forget_file();
  if (file.size > MOST_PICTURE_BYTES) throw new Error(`${file.name}: larger than ${MOST_PICTURE_BYTES / 1e6} MB`);
  dropped = { name: file.name, base64: await base64_of(file), preview: URL.createObjectURL(file) };
  store.go({ view: "search", text: "", terms: [], filters: {} });
  dropped_news.dispatchEvent(new Event("change"));
}

function forget_file() {
  if (dropped) URL.revokeObjectURL(dropped.preview);
  dropped = null;
}

function base64_of(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

export function make_search(signal, collection, kept) {
  const newest = new Newest();
  const results = make_results();
  let wanted = FIRST_HITS;
  let hits = [];

  const box = h("input", {
    type: "search",
    class: "search-box",
    placeholder: "What is in the picture, or in its text",
    "aria-label": "Search",
    title: 'Words in "quotes" must appear in the picture\'s text exactly',
    autocomplete: "off",
    spellcheck: "false",
    oninput: () => store.edit({ text: box.value }),
    onkeydown: (event) => {
      if (event.key === "ArrowDown" && hits.length > 0) results.tiles.focus(0);
    },
  });
  const where = h(
    "select",
    { "aria-label": "Where to look", onchange: () => store.go({ in: where.value }) },
    [
      ["both", "picture and text"],
      ["picture", "the picture"],
      ["text", "its text"],
    ].map(([value, name]) => h("option", { value }, name)),
  );
  const chips = h("ul", { class: "chips", "aria-label": "Also and away from" });
  const filters = make_filters(kept);
  const check = (name, text) => {
    const input = h("input", {
      type: "checkbox",
      id: new_name(name),
      onchange: () => store.go({ [name]: input.checked }),
    });
    return { input, element: h("label", { class: "check", for: input.id }, input, text) };
  };
  const all = check("all", "weak matches too");
  const group = check("group", "nearly equal ones as one");
  const exact = check("exact", "every picture compared");
  exact.element.hidden = collection.pictures < INDEXED_FROM; // below that it is so in any case
  const told = h("p", { class: "muted told" });
  const element = h(
    "div",
    { class: "view search" },
    h("div", { class: "search-bar" }, box, where, choose_file()),
    h("div", { class: "chips-bar" }, chips, term_adder()),
    filters.element,
    h("div", { class: "bar-top" }, told, h("span", { class: "space" }), all.element, group.element, exact.element),
    results.element,
  );

  function ask(more = false) {
    if (!more) wanted = FIRST_HITS;
    const request = search_request(store.now, dropped?.base64);
    if (!request) {
      newest.stop();
      show([], null);
      return;
    }
    newest.run(
      (abort) => hold_during(post("/v1/search", { ...request, k: wanted, client: CLIENT }, abort)),
      (answer) => show(answer.hits, answer, more),
      (error) => {
        hits = [];
        set_text(told, "");
        results.trouble(error);
      },
    );
  }

  function show(found, answer, more = false) {
    hits = found;
    hits_by_key.clear();
    for (const hit of hits) hits_by_key.set(key_of(hit), hit);
    set_text(told, answer ? in_words(answer) : "");
    if (answer && !more) announce(in_words(answer));
    results.show(hits, answer, more, () => {
      if (hits.length < wanted || wanted >= MOST_HITS) return;
      wanted = Math.min(MOST_HITS, 3 * wanted);
      ask(true);
    });
  }

  function in_words(answer) {
    const found = answer.hits.length;
    const good = answer.hits.filter((hit) => hit.fits).length;
    const more = found >= wanted ? " or more" : "";
    const fit = `${with_commas(good)}${good === found ? more : ""} ${good === 1 ? "fits" : "fit"}`;
    const nearest = `the nearest ${with_commas(found - good)}${more}`;
    const judged = answer.cut || answer.hits.some((hit) => hit.fits !== null);
    const counts = !judged ? nearest : good === found ? fit : `${fit}, then ${nearest}`;
    return [
      `${counts}, of ${plural(answer.candidates, "picture")} in ${duration(answer.seconds)}`,
      ...answer.warnings,
    ].join(". ");
  }

  function read() {
    const { now } = store;
    if (box.value !== now.text) box.value = now.text;
    where.value = now.in;
    all.input.checked = now.all;
    group.input.checked = now.group;
    exact.input.checked = now.exact;
    show_chips(chips);
    filters.read();
  }

  store.listen((changed) => {
    if (!ASKED.some((name) => changed.has(name))) return;
    read();
    ask();
  }, signal);
  dropped_news.addEventListener("change", () => (read(), ask()), { signal });
  labelling.addEventListener(
    "answer",
    () => {
      filters.read();
      if (store.now.filters.label && !labelling.busy) ask();
    },
    { signal },
  );
  kept.addEventListener("change", () => filters.read(), { signal });
  signal.addEventListener("abort", () => {
    newest.stop();
    results.tiles.close();
  });
  read();
  ask();
  return Object.assign(element, { start: () => box.focus() });
}

function choose_file() {
  const input = h("input", {
    type: "file",
    accept: "image/*",
    class: "unseen",
    tabindex: -1,
    "aria-hidden": "true",
    onchange: async () => {
      if (input.files[0]) await search_by_file(input.files[0]);
      input.value = "";
    },
  });
  return h(
    "span",
    {},
    h(
      "button",
      { type: "button", onclick: () => input.click(), title: "or drop one anywhere, or paste it" },
      "By a picture…",
    ),
    input,
  );
}

// "also" and "away from", beside the words.
function term_adder() {
  const input = h("input", {
    type: "text",
    placeholder: "more, or less, of…",
    "aria-label": "Add to the search, or take from it",
    onkeydown: (event) => {
      if (event.key === "Enter") add("+");
    },
  });
  function add(sign) {
    const text = input.value.trim();
    if (text === "") return input.focus();
    input.value = "";
    store.go({ terms: [...store.now.terms, text_term(sign, text)] });
  }
  return h(
    "span",
    { class: "adder" },
    input,
    h("button", { type: "button", "aria-label": "More of it", title: "more of it", onclick: () => add("+") }, "+"),
    h("button", { type: "button", "aria-label": "Less of it", title: "less of it", onclick: () => add("-") }, "−"),
  );
}

function show_chips(list) {
  const chip = (sign, what, remove, weight) =>
    h(
      "li",
      { class: sign === "+" ? "plus" : "minus" },
      h("span", { class: "sign" }, sign === "+" ? "+" : "−"),
      what,
      weight,
      h("button", { type: "button", class: "quiet", "aria-label": "Take it out", onclick: remove }, "✕"),
    );
  const file = dropped && h("img", { src: dropped.preview, alt: dropped.name, title: dropped.name });
  replace(
    list,
    file && chip("+", file, () => (forget_file(), dropped_news.dispatchEvent(new Event("change")))),
    store.now.terms.map((term, place) => {
      const { sign, text, picture, weight } = parse_term(term);
      const change = (terms) => store.go({ terms });
      const others = store.now.terms;
      return chip(
        sign,
        picture ? picture_chip(picture) : text,
        () => change(others.toSpliced(place, 1)),
        weight_input(weight, (value) => change(others.with(place, with_weight(term, value)))),
      );
    }),
  );
}

function picture_chip(picture) {
  const image = make_image(`picture ${picture.row}`);
  show_image(image, thumbnail_address(picture, 160));
  return image;
}

function weight_input(weight, change) {
  const input = h("input", {
    type: "number",
    min: 0,
    max: 1000,
    step: 0.1,
    value: weight,
    "aria-label": "Weight",
    title: "weight",
    onchange: () => input.validity.valid && change(Number(input.value)),
  });
  return input;
}

function make_filters(kept) {
  const inputs = new Map();
  const field = (name, label, attributes) => {
    const input = h(
      attributes.options ? "select" : "input",
      {
        id: new_name(name),
        onchange: () => change(name, input.type === "checkbox" ? (input.checked ? "1" : "") : input.value),
        ...attributes,
        options: null,
      },
      attributes.options?.map(([value, text]) => h("option", { value }, text)),
    );
    inputs.set(name, input);
    return h("label", { for: input.id, class: input.type === "checkbox" ? "check" : "" }, h("span", {}, label), input);
  };
  function change(name, value) {
    const filters = { ...store.now.filters };
    if (value === "") delete filters[name];
    else filters[name] = value;
    store.go({ filters });
  }
  const count = h("span", { class: "muted" });
  const number = { type: "number", min: 0, inputmode: "numeric" };
  const element = h(
    "details",
    { class: "filters" },
    h("summary", {}, "Only some pictures ", count),
    h(
      "div",
      { class: "fields" },
      field("path", "name or path", { type: "text", placeholder: "*.png | */holidays/*" }),
      field("path_case", "capitals count", { type: "checkbox" }),
      field("has_text", "text", {
        options: [
          ["", "with or without"],
          ["yes", "with text"],
          ["no", "without text"],
        ],
      }),
      field("label", "on the shelf", { options: [] }),
      field("run", "of", { options: [] }),
      field("since", "since", { type: "date" }),
      field("until", "until", { type: "date" }),
      field("min_width", "wide, from px", number),
      field("max_width", "to", number),
      field("min_height", "high, from px", number),
      field("max_height", "to", number),
      field("min_size", "bytes, from", number),
      field("max_size", "to", number),
    ),
  );
  let known_run = "";
  let run_labels = [];
  async function read_run(name) {
    known_run = name;
    const run = await get(`/v1/runs/${encodeURIComponent(name)}`).catch(() => ({ labels: [] }));
    run_labels = run.labels.map((label) => label.name);
    read();
  }
  function show_options(name, none, values = []) {
    const wanted = store.now.filters[name];
    const all = wanted && !values.includes(wanted) ? [...values, wanted] : values;
    replace(
      inputs.get(name),
      h("option", { value: "" }, none),
      all.map((value) => h("option", { value }, value)),
    );
  }
  function read() {
    const { filters } = store.now;
    show_options(
      "run",
      "the shelves now",
      kept.runs.map((run) => run.name),
    );
    show_options("label", "any", filters.run ? run_labels : labelling.answer?.labels.map((label) => label.name));
    if (filters.run && filters.run !== known_run) read_run(filters.run);
    for (const [name, input] of inputs) {
      if (input.type === "checkbox") input.checked = Boolean(filters[name]);
      else input.value = filters[name] ?? "";
    }
    const active = Object.keys(filters).length;
    set_text(count, active > 0 ? `(${active})` : "");
    if (active > 0) element.open = true;
  }
  return { element, read };
}

function make_results() {
  let hits = [];
  let highest = 0; // a weak match may have a higher score than a good one
  let ask_more = () => {};
  const tiles = new Tiles({
    name: "Hits",
    tile: HIT_TILE,
    make: make_tile,
    clear: clear_tile,
    draw: (tile, index) =>
      draw_tile(tile, hits[index], {
        fill: hits[index].score / Math.max(1e-9, highest),
        colour: "colour-search",
        weak: hits[index].fits === false,
        caption: reason(hits[index]),
        name: name_of(hits[index]),
      }),
    need: (from, to) => {
      if (to >= hits.length && hits.length > 0) ask_more();
    },
    pick: (index, how) => look_at(hits[index], how),
  });
  const element = h("div", { class: "shelves-body" }, tiles.element);
  const instead = (content) => replace(element, content);
  return {
    element,
    tiles,
    trouble: (error) => instead(problem(error)),
    show(found, answer, more, next) {
      hits = found;
      highest = hits.reduce((most, hit) => Math.max(most, hit.score), 0);
      ask_more = next;
      if (!answer)
        return instead(
          h(
            "div",
            { class: "welcome" },
            h("h1", {}, "Find pictures"),
            h("p", {}, "By what is in them, by what their text means, by its exact words. Or drop a picture here."),
          ),
        );
      if (hits.length === 0)
        return instead(
          h(
            "div",
            { class: "welcome" },
            h("h1", {}, "No good match"),
            h("p", {}, "“Weak matches too” shows the closest."),
          ),
        );
      if (element.firstChild !== tiles.element) replace(element, tiles.element);
      if (!more) tiles.to_start();
      tiles.show(hits.length);
    },
  };
}

// Under a hit, in a few words.
function reason(hit) {
  if (hit.found_by === "letters" && hit.words.length > 0) return `“${hit.words[0].text}”`;
  if (hit.found_by === "text") return hit.ocr_text;
  const more = hit.similar.length > 0 ? `, and ${hit.similar.length} like it` : "";
  return hit.found_by === "letters" ? hit.ocr_text : `the picture${more}`;
}

function name_of(hit) {
  const weak = hit.fits === false ? ", a weak match" : "";
  return `${hit.path.slice(hit.path.lastIndexOf("/") + 1)}, hit ${hit.rank}${weak}, ${reason(hit)}`;
}
