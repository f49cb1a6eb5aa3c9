// Why a picture stands where it stands: both sides, who decided and by how much, every label's score, the words with
// their boxes on the picture, why the search found it, where the file is.

import { Newest, evidence_address, file_address, get, picture_address, post, thumbnail_address } from "./api.js";
import { announce, bar_cell, h, notice, problem, replace, svg } from "./dom.js";
import { colour_of, labelling, labels_of } from "./labelling.js";
import { make_image, show as show_image } from "./thumbnails.js";
import { key_of, picture_of, store } from "./state.js";
import { hits_by_key } from "./search.js";
import { truth } from "./truth.js";
import { bytes, file_name, folder_name, percent, plural, score } from "./text.js";

const SIZE_PX = 1280;
const FIRST_LABELS = 6;
const FIRST_WORDS = 80;

export function make_evidence(place, collection) {
  const newest = new Newest();
  let shown = ""; // the key of the picture that stands there

  function close() {
    store.edit({ picture: "" });
    const tile = document.querySelector(`.tile[data-key="${CSS.escape(shown)}"]`);
    tile?.focus();
  }

  function ask() {
    const picture = picture_of(store.now.picture);
    place.hidden = picture === null;
    document.body.classList.toggle("with-evidence", picture !== null);
    if (!picture) {
      newest.stop();
      shown = "";
      replace(place);
      return;
    }
    const request = labelling.request;
    newest.run(
      async (signal) =>
        request
          ? post(evidence_address(picture), request, signal)
          : { picture: await get(picture_address(picture), signal), answer: null, scores: [] },
      (evidence) => draw(evidence, key_of(evidence.picture)),
      (error) => replace(place, head(close), problem(error)),
    );
  }

  function draw(evidence, key) {
    const same = shown === key;
    const at = place.scrollTop;
    const focused = same && place.contains(document.activeElement) ? document.activeElement.dataset.part : null;
    shown = key;
    store.edit({ picture: key });
    const hit = hits_by_key.get(key);
    const old_image = same ? place.querySelector("figure img") : null;
    const figure = make_figure(evidence.picture, hit, old_image);
    replace(
      place,
      head(close),
      figure.element,
      hit && store.now.view === "search" && why_found(hit),
      evidence.answer && verdict(evidence),
      truth_picker(evidence.picture, collection, ask),
      evidence.answer && scores_table(evidence),
      words_of(evidence.picture, figure),
      file_of(evidence.picture),
    );
    place.scrollTop = same ? at : 0;
    if (focused) place.querySelector(`[data-part="${focused}"]`)?.focus();
    if (!same) announce(in_words(evidence));
  }

  store.listen((changed, now) => {
    if (changed.has("view") || (changed.has("picture") && now.picture !== shown)) ask();
  });
  labelling.addEventListener("answer", () => {
    if (!labelling.busy && store.now.picture !== "") ask();
  });
  place.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  ask();
  return { close, focus: () => place.querySelector("button")?.focus() };
}

const head = (close) =>
  h(
    "div",
    { class: "head" },
    h("h2", {}, "Evidence"),
    h(
      "button",
      {
        type: "button",
        class: "quiet",
        "data-part": "close",
        "aria-label": "Close the evidence",
        title: "Esc",
        onclick: close,
      },
      "✕",
    ),
  );

function in_words({ picture, answer }) {
  const name = file_name(picture.path);
  if (!answer) return name;
  return answer.label === null
    ? `${name}: unsure`
    : `${name}: ${answer.label}, ${score(answer.score)}, by its ${side_name(answer.source)}`;
}

const side_name = (source) => (source === "text" ? "text" : "picture");

// The picture upright, with the boxes of its words over it.
function make_figure(picture, hit, old_image) {
  const image = old_image ?? make_image(file_name(picture.path));
  if (!old_image) show_image(image, thumbnail_address(picture, SIZE_PX));
  const found = new Set((hit?.words ?? []).map((word) => word.box.join()));
  const boxes = picture.words.map((word) => {
    const [x, y, width, height] = word.box;
    return svg(
      "rect",
      {
        x,
        y,
        width,
        height,
        class: found.has(word.box.join()) ? "word found" : "word",
        "vector-effect": "non-scaling-stroke",
      },
      svg("title", {}, `${word.text} (${percent(word.confidence)})`),
    );
  });
  const overlay = svg(
    "svg",
    {
      class: "boxes",
      viewBox: `0 0 ${Math.max(1, picture.width)} ${Math.max(1, picture.height)}`,
      "aria-hidden": "true",
    },
    boxes,
  );
  const frame = h("div", { class: "picture" }, image, overlay);
  frame.style.aspectRatio = `${Math.max(1, picture.width)} / ${Math.max(1, picture.height)}`;
  const element = h("figure", {}, frame);
  const light = (index, on) => boxes[index]?.classList.toggle("lit", on);
  return { element, light };
}

function verdict({ answer, picture, text_weight, fusion }) {
  const sides = [
    ["picture", answer.image, 1],
    ["text", answer.text, text_weight],
  ];
  const said = sides.map(([name, side, weight]) => {
    const decided = answer.source !== null && side_name(answer.source) === name;
    return h(
      "tr",
      { class: decided ? "decided" : "" },
      h(
        "th",
        { scope: "row", title: fusion === "mix" && side ? `weight ${weight.toFixed(2)}` : null },
        name === "picture" ? "The picture" : "Its text",
        fusion === "mix" && side && name === "text" && h("span", { class: "muted" }, ` × ${weight.toFixed(2)}`),
      ),
      side
        ? [
            h("td", { class: colour_of(side.label) }, dot(), side.label),
            h("td", { class: "number" }, score(side.score)),
            h("td", { class: "number muted", title: "before its next label" }, `+${side.margin.toFixed(3)}`),
          ]
        : h("td", { colspan: 3, class: "muted" }, picture.ocr_text === "" ? "says nothing" : "does not count here"),
    );
  });
  const label = answer.label ?? "Unsure";
  const by = answer.source
    ? `decided by ${answer.source === "text" ? "its text" : "the picture"}`
    : answer.veto?.taken
      ? "its label was taken, and no other is sure"
      : "below the threshold";
  const next =
    answer.runner_up && `${score(answer.margin)} before ${answer.runner_up.label} (${score(answer.runner_up.score)})`;
  return h(
    "section",
    { class: "verdict" },
    h(
      "p",
      { class: `answer ${colour_of(answer.label)}` },
      dot(),
      h("strong", {}, label),
      h("span", { class: "number" }, score(answer.score)),
    ),
    h("p", { class: "muted" }, [by, next].filter(Boolean).join(", ")),
    answer.labels && h("p", { class: "labels-had" }, has_labels(answer.labels)),
    answer.veto && h("p", { class: answer.veto.taken ? "veto warning" : "veto muted" }, veto_words(answer.veto)),
    h(
      "table",
      { class: "sides" },
      h("caption", { class: "unseen" }, "What each side says by itself"),
      h("tbody", {}, said),
    ),
  );
}

function veto_words({ label, prompt, score: probability, taken }) {
  return taken
    ? `Not ${label}: it is nearer to “${prompt}” (${score(probability)}).`
    : `Its veto “${prompt}” does not take ${label} (${score(probability)}).`;
}

function has_labels(labels) {
  if (labels.length === 0) return "It has none of the labels.";
  return `It has ${labels.map((one) => `${one.label} ${score(one.score)}`).join(", ")}.`;
}

const dot = () => h("span", { class: "dot", "aria-hidden": "true" });

function scores_table({ scores }) {
  const most = Math.max(1e-9, ...scores.map((one) => one.score));
  const rows = scores.map((one, place) => {
    return h(
      "tr",
      { class: colour_of(one.label), hidden: place >= FIRST_LABELS },
      h("th", { scope: "row" }, one.label),
      bar_cell(one.score / most),
      h("td", { class: "number" }, one.score === null ? "taken" : score(one.score)),
      h("td", { class: "number muted" }, one.image === null ? "–" : one.image.toFixed(3)),
      h("td", { class: "number muted" }, one.text === null ? "–" : one.text.toFixed(3)),
    );
  });
  const more = h(
    "button",
    { type: "button", class: "link", onclick: () => (rows.forEach((row) => (row.hidden = false)), more.remove()) },
    `All ${plural(scores.length, "label")}`,
  );
  return h(
    "section",
    {},
    h("h3", {}, "Every label"),
    h(
      "table",
      { class: "scores" },
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "col" }, "Label"),
          h("th", { scope: "col", colspan: 2 }, "Score"),
          h("th", { scope: "col", title: "cosine" }, "Picture"),
          h("th", { scope: "col", title: "cosine" }, "Text"),
        ),
      ),
      h("tbody", {}, rows),
    ),
    scores.length > FIRST_LABELS && more,
  );
}

// In nats: how unlikely a picture taken at random would fit the query as well.
export function why_found(hit) {
  const kinds = [
    ["picture", "The picture", hit.image_nats],
    ["text", "What its text means", hit.text_nats],
    ["letters", "Its words", hit.letter_nats],
  ];
  const most = Math.max(1, ...kinds.map(([, , nats]) => nats));
  const rows = kinds.map(([kind, name, nats]) => {
    return h(
      "tr",
      { class: kind === hit.found_by ? "decided" : "" },
      h("th", { scope: "row" }, name),
      bar_cell(nats / most),
      h("td", { class: "number" }, nats.toFixed(1)),
    );
  });
  const words = hit.words.map((word) =>
    h(
      "li",
      {},
      h("q", {}, word.text),
      word.edits > 0 || word.text.toLowerCase() !== word.query.toLowerCase() ? ` for “${word.query}”` : "",
      word.edits > 0 && h("span", { class: "muted" }, `, ${plural(word.edits, "letter")} off`),
    ),
  );
  return h(
    "section",
    { class: "why" },
    h("h3", {}, `Why it is hit ${hit.rank}${hit.fits === false ? ", a weak match" : ""}`),
    h("table", { class: "scores" }, h("caption", { class: "unseen" }, "Evidence in nats"), h("tbody", {}, rows)),
    words.length > 0 && h("ul", { class: "found-words" }, words),
    h(
      "p",
      { class: "muted" },
      `${hit.score.toFixed(1)} nats in all; cosine ${hit.image_score.toFixed(3)} to the picture`,
      hit.text_score !== null && `, ${hit.text_score.toFixed(3)} to its text`,
    ),
  );
}

// What it truly is, by hand.
function truth_picker(picture, collection, again) {
  if (collection.read_only) return null;
  const names =
    labelling.answer?.labels.map((label) => label.name) ?? labels_of(store.now.lines).map((label) => label.name);
  if (picture.truth && !names.includes(picture.truth)) names.unshift(picture.truth);
  if (names.length === 0) return null;
  const select = h(
    "select",
    {
      "aria-label": "What it truly is",
      "data-part": "truth",
      onchange: async () => {
        try {
          await truth.tell(picture, select.value || null);
          again();
        } catch (error) {
          notice(error.message);
        }
      },
    },
    h("option", { value: "" }, "nobody said"),
    names.map((name) => h("option", { value: name }, name)),
  );
  select.value = picture.truth ?? "";
  return h(
    "p",
    { class: `truth ${picture.truth ? colour_of(picture.truth) : ""}` },
    h("span", { class: "muted" }, "By hand"),
    select,
  );
}

function words_of(picture, figure) {
  const text = picture.ocr_text;
  if (picture.words.length === 0 && text === "") {
    return h(
      "section",
      {},
      h("h3", {}, "Text"),
      h(
        "p",
        { class: "muted" },
        picture.unread_script ? `There is text in ${picture.unread_script}, which was not read.` : "None was read.",
      ),
    );
  }
  const chips = picture.words.slice(0, FIRST_WORDS).map((word, index) =>
    h(
      "li",
      {
        class: word.confidence < 0.6 ? "doubtful" : "",
        title: percent(word.confidence),
        onpointerenter: () => figure.light(index, true),
        onpointerleave: () => figure.light(index, false),
      },
      word.text,
    ),
  );
  const rest = picture.words.length - chips.length;
  return h(
    "section",
    {},
    h("h3", {}, "Text ", h("span", { class: "muted" }, `read with ${percent(picture.text_confidence)}`)),
    chips.length > 0
      ? h("ul", { class: "words" }, chips, rest > 0 && h("li", { class: "muted" }, `and ${rest} more`))
      : h("p", {}, text),
  );
}

function file_of(picture) {
  const copy = h(
    "button",
    { type: "button", class: "link", "data-part": "copy", onclick: () => copy_text(picture.path) },
    "Copy its path",
  );
  const like = h(
    "button",
    {
      type: "button",
      "data-part": "like",
      onclick: () => store.go({ view: "search", text: "", terms: [`+@${key_of(picture)}`], filters: {} }),
    },
    "Like this one",
  );
  return h(
    "section",
    { class: "file" },
    h("h3", {}, "File"),
    h(
      "p",
      { class: "path" },
      h("strong", {}, file_name(picture.path)),
      h("span", { class: "muted" }, folder_name(picture.path)),
    ),
    h(
      "p",
      { class: "muted" },
      `${picture.width} × ${picture.height}, ${bytes(picture.size_bytes)}, ${picture.modified.slice(0, 10)}`,
      picture.copies.length > 0 && `, ${plural(picture.copies.length, "copy", "copies")} elsewhere`,
    ),
    picture.gone && h("p", { class: "warning" }, "There is no file at this path now."),
    h(
      "p",
      { class: "actions" },
      like,
      h("a", { href: file_address(picture), target: "_blank", rel: "noopener", "data-part": "open" }, "Open the file"),
      copy,
    ),
  );
}

async function copy_text(text) {
  try {
    await navigator.clipboard.writeText(text);
    notice("Copied.");
  } catch {
    notice(text); // where the browser does not let pages copy, it can be taken from here
  }
}
