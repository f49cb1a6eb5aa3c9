// The page of zeroshelf-query serve. Tested by tests/serve/page_test.py.
//
//   state.js        what is looked at; the address holds it
//   labelling.js    labels -> request -> answer; labels_panel.js edits them, shelves.js shows them
//   tiles.js        pictures that scroll; picture_tile.js is one of them, thumbnails.js fetches them
//   evidence.js     why
//   search.js, judge.js (judging_queue.js, learning.js, truth.js, accuracy.js), runs.js, export.js, duplicates.js,
//   skips.js, statistics.js: the other views

import { get } from "./api.js";
import { h, notice, problem, replace } from "./dom.js";
import { make_duplicates } from "./duplicates.js";
import { make_evidence } from "./evidence.js";
import { make_export } from "./export.js";
import { make_judge } from "./judge.js";
import { kept } from "./kept.js";
import { make_keys } from "./keys.js";
import { labelling } from "./labelling.js";
import { make_labels_panel } from "./labels_panel.js";
import { make_runs } from "./runs.js";
import { make_search, search_by_file } from "./search.js";
import { make_shelves } from "./shelves.js";
import { make_skips } from "./skips.js";
import { store } from "./state.js";
import { make_statistics } from "./statistics.js";
import { with_commas } from "./text.js";
import { make_theme } from "./theme.js";
import { truth } from "./truth.js";

// The last word is what a view cannot do without: where the server does not answer it, there is no such view.
const VIEWS = {
  shelves: ["Shelves", make_shelves],
  search: ["Search", make_search],
  judge: ["Judge", make_judge],
  runs: ["Runs", make_runs],
  export: ["Hand over", make_export, "POST /v1/export"],
  duplicates: ["Duplicates", make_duplicates, "GET /v1/duplicates"],
  skips: ["Skipped", make_skips],
  statistics: ["Statistics", make_statistics],
};
const NEWS_MS = 15000;

const main = document.getElementById("main");

function show_views(collection) {
  const links = new Map();
  for (const [view, [name, , needs]] of Object.entries(VIEWS)) {
    if (collection.unanswered.includes(needs)) continue;
    const link = h("button", { type: "button", onclick: () => store.go({ view, shelf: "" }) }, name);
    links.set(view, link);
    document.getElementById("views").append(h("li", {}, link));
  }
  let open = null;
  function show() {
    const view = links.has(store.now.view) ? store.now.view : "shelves";
    open?.abort();
    open = new AbortController();
    for (const [name, link] of links) {
      if (name === view) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    document.body.dataset.view = view;
    document.title = `${VIEWS[view][0]} · ${collection.name} · zeroshelf`;
    const element = VIEWS[view][1](open.signal, collection, kept);
    replace(main, element);
    element.start?.();
  }
  store.listen((changed) => {
    if (changed.has("view")) show();
  });
  show();
}

function take_pictures() {
  const file_of = (items) =>
    [...(items?.files ?? [])].find((file) => file.type.startsWith("image/")) ?? items?.files?.[0];
  const search = (file) => search_by_file(file).catch((error) => notice(error.message));
  const over = (on) => document.body.classList.toggle("dropping", on);
  addEventListener("dragover", (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    over(true);
  });
  addEventListener("dragleave", (event) => event.relatedTarget === null && over(false));
  addEventListener("drop", (event) => {
    over(false);
    const file = file_of(event.dataTransfer);
    if (!file) return;
    event.preventDefault();
    search(file);
  });
  addEventListener("paste", (event) => {
    const file = file_of(event.clipboardData);
    if (file) search(file);
  });
}

// What an `add` committed meanwhile moves onto the shelves by itself.
function follow_collection(collection) {
  const place = document.getElementById("collection");
  const show = ({ pictures }) => replace(place, h("strong", {}, collection.name), ` ${with_commas(pictures)}`);
  let { generation } = collection;
  show(collection);
  setInterval(async () => {
    if (document.hidden) return;
    const health = await get("/healthz").catch(() => null);
    if (!health || health.generation === generation) return;
    generation = health.generation;
    show(health);
    labelling.ask();
  }, NEWS_MS);
}

async function start() {
  make_theme(document.getElementById("theme"));
  let collection;
  try {
    collection = await get("/v1/collection");
  } catch (error) {
    replace(main, problem(error));
    return;
  }
  truth.count = collection.truths;
  const panel = make_labels_panel(collection, kept);
  replace(document.getElementById("labels"), panel.element);
  show_views(collection);
  const evidence = make_evidence(document.getElementById("evidence"), collection);
  follow_collection(collection);
  take_pictures();
  make_keys(document.getElementById("keys"), {
    search: () =>
      store.now.view === "search" ? main.querySelector(".search-box").focus() : store.go({ view: "search" }),
    labels: panel.focus,
    close: evidence.close,
  });
  document.getElementById("skip").addEventListener("click", (event) => {
    event.preventDefault();
    main.focus();
  });
  document.querySelector(".mark").addEventListener("click", (event) => {
    event.preventDefault();
    store.go({ view: "shelves", shelf: "" });
  });
  labelling.ask();
  kept.read().catch((error) => notice(error.message));
  if (store.now.lines.length === 0 && store.now.view === "shelves") panel.focus();
}

start();
