// Elements made by code. Every text becomes a text node, so names of files and words in pictures stay text whatever
// they hold; there is no way here to hand markup over.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// h("button", {class: "quiet", onclick: run}, "Run"): attributes that are null or false are left out.
export function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

// The same for what is drawn.
export function svg(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

export function replace(element, ...children) {
  element.replaceChildren(
    ...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false),
  );
}

// Writes only what changed: an assignment of equal text would cost a layout.
export function set_text(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// A name within one page for aria-labelledby and <label for>.
let last_name = 0;
export function new_name(prefix) {
  return `${prefix}-${++last_name}`;
}

// One line for screen readers; the newest replaces what was not read yet.
export function announce(text) {
  set_text(document.getElementById("announcements"), text);
}

// Something that the eye should see too, for some seconds: with `action`, a button that does it.
let hide_notice = 0;
export function notice(text, action) {
  const place = document.getElementById("notice");
  const close = () => replace(place);
  replace(
    place,
    h("span", {}, text),
    action && h("button", { type: "button", onclick: () => (close(), action.run()) }, action.name),
    h("button", { type: "button", class: "quiet", "aria-label": "Close", onclick: close }, "✕"),
  );
  clearTimeout(hide_notice);
  hide_notice = setTimeout(close, action ? 20000 : 6000);
}

// A cell with a bar, filled up to this share; `over` lies on it.
export function bar_cell(share, colour = "", over = null) {
  const bar = h("span", { class: `bar ${colour}` });
  bar.style.width = css_percent(share);
  return h("td", { class: "bar-cell" }, h("span", { class: "rail" }, bar, over));
}

export const css_percent = (share) => `${(100 * Math.max(0, Math.min(1, share))).toFixed(1)}%`;

// An error as the interface tells it, where its answer would have been.
export function problem(error) {
  return h(
    "div",
    { class: "problem", role: "alert" },
    h("p", {}, h("strong", {}, error.subject ? `${error.subject}: ` : ""), error.message),
    error.cure && h("p", { class: "muted" }, error.cure),
  );
}
