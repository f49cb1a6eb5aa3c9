// A picture as shelves and lists show it: the thumbnail, a line as long as its score is high, a word below.

import { thumbnail_address } from "./api.js";
import { css_percent, h, set_text } from "./dom.js";
import { colour_of } from "./labelling.js";
import { key_of, store } from "./state.js";
import { file_name, score } from "./text.js";
import { forget, make_image, show } from "./thumbnails.js";

const SIZE_PX = 320;

export function make_tile() {
  const image = make_image("");
  const bar = h("span", { class: "bar" });
  const mark = h("span", { class: "mark-by-hand", "aria-hidden": "true" });
  const caption = h("span", { class: "caption" });
  const tile = h(
    "div",
    { class: "tile" },
    h("div", { class: "frame" }, image, mark, h("span", { class: "rail" }, bar)),
    caption,
  );
  tile.parts = { image, bar, mark, caption };
  return tile;
}

// picture: row, sha256, path and what an answer has of label, score and truth; undefined while it is not known yet.
// More: caption, name (for screen readers), fill (0 to 1), colour, weak (of a match).
export function draw_tile(tile, picture, more = {}) {
  const { image, bar, mark, caption } = tile.parts;
  tile.classList.toggle("waiting", !picture);
  tile.classList.toggle("weak", Boolean(more.weak));
  if (!picture) {
    forget(image);
    tile.setAttribute("aria-label", "loading");
    set_text(caption, "");
    bar.style.width = "0";
    mark.hidden = true;
    return;
  }
  const key = key_of(picture);
  tile.dataset.key = key;
  tile.setAttribute("aria-selected", String(store.now.picture === key));
  tile.setAttribute("aria-label", more.name ?? name_of(picture));
  show(image, thumbnail_address(picture, SIZE_PX));
  const fill = more.fill ?? picture.score ?? 0;
  bar.style.width = css_percent(fill);
  bar.className = `bar ${more.colour ?? colour_of(picture.label)}`;
  mark.hidden = !picture.truth;
  mark.className = `mark-by-hand ${picture.truth ? colour_of(picture.truth) : ""}`;
  set_text(caption, more.caption ?? "");
}

function name_of(picture) {
  const by_hand = picture.truth ? `, by hand ${picture.truth}` : "";
  const labels = picture.labels?.length > 0 ? picture.labels : [picture];
  const said = labels.map((one) => `${one.label ?? "unsure"} ${score(one.score)}`).join(", ");
  return `${file_name(picture.path)}, ${said}${by_hand}`;
}

export function clear_tile(tile) {
  forget(tile.parts.image);
}

// Looks at a picture: by walking over it where the evidence stands beside, by opening it everywhere.
export function look_at(picture, how) {
  if (!picture) return;
  const beside = matchMedia("(min-width: 1200px)").matches;
  if (how === "focus" && (!beside || store.now.picture === "")) return;
  const key = key_of(picture);
  if (store.now.picture === "") store.go({ picture: key });
  else store.edit({ picture: key });
}

// Marks the tile of the picture that is looked at.
store.listen((changed, now) => {
  if (!changed.has("picture")) return;
  for (const tile of document.querySelectorAll(".tile[aria-selected]"))
    tile.setAttribute("aria-selected", String(tile.dataset.key === now.picture));
});
