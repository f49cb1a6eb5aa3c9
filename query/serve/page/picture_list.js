// Pictures in a grid, of which stretches are asked for as they come into view: of what moved between two runs, say.

import { clear_tile, draw_tile, look_at, make_tile } from "./picture_tile.js";
import { Tiles } from "./tiles.js";

const PAGE = 100;
const TILE = { width: 156, height: 152 };

// fetch(offset, limit) -> {count, offset, pictures}; more(picture) -> what draw_tile takes beside.
export function make_picture_list({ name, fetch, more, failed }) {
  const pictures = [];
  const asked = new Set();
  let open = true;

  async function ask(page) {
    if (asked.has(page)) return;
    asked.add(page);
    try {
      const answer = await fetch(page * PAGE, PAGE);
      if (!open) return;
      answer.pictures.forEach((picture, offset) => (pictures[answer.offset + offset] = picture));
      if (answer.count !== tiles.count) tiles.show(answer.count);
      else tiles.refresh();
    } catch (error) {
      asked.delete(page);
      if (open) failed(error);
    }
  }

  const tiles = new Tiles({
    name,
    tile: TILE,
    make: make_tile,
    clear: clear_tile,
    draw: (tile, index) => draw_tile(tile, pictures[index], pictures[index] ? more(pictures[index]) : {}),
    need: (from, to) => {
      for (let page = Math.floor(from / PAGE); page * PAGE < to; ++page) ask(page);
    },
    pick: (index, how) => look_at(pictures[index], how),
  });
  ask(0);
  const close = () => {
    open = false;
    tiles.close();
  };
  return { element: tiles.element, close };
}
