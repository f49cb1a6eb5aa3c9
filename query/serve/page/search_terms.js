// What a search is made of, as the address holds it and as the server takes it.
//
//   "+at night"  also this text        "-people"        away from it       "+snow^0.5"  with half of the weight
//   "+@17-ab…"   also this picture     "+@@home"        a text that begins with @

import { picture_of } from "./state.js";
import { labelling_of } from "./labelling.js";

const NUMBERS = ["min_size", "max_size", "min_width", "max_width", "min_height", "max_height"];
const TEXTS = ["since", "until"];

// {sign: "+" or "-", text or picture {row, sha256}, weight}
export function parse_term(term) {
  const [, sign, body, weight] = /^([+-])(.*?)(?:\^(\d+(?:\.\d+)?))?$/s.exec(term) ?? [, "+", term];
  const parsed = { sign, weight: weight === undefined ? 1 : Number(weight) };
  const picture = body.startsWith("@") && !body.startsWith("@@") ? picture_of(body.slice(1)) : null;
  return picture ? { ...parsed, picture } : { ...parsed, text: body.startsWith("@@") ? body.slice(1) : body };
}

export const text_term = (sign, text) => `${sign}${text.startsWith("@") ? "@" : ""}${text}`;

export const with_weight = (term, weight) =>
  `${term.replace(/\^\d+(?:\.\d+)?$/, "")}${weight === 1 ? "" : `^${weight}`}`;

// The body of /v1/search; null where nothing is asked for yet. image: a picture file in base64, or null.
export function search_request(state, image) {
  const request = { in: state.in };
  if (state.text.trim() !== "") request.text = state.text.trim();
  if (image) request.image = image;
  for (const { sign, text, picture, weight } of state.terms.map(parse_term)) {
    if (picture && sign === "+" && weight === 1 && !("row" in request)) Object.assign(request, picture);
    else (request[sign === "+" ? "plus" : "minus"] ??= []).push({ ...(picture ?? { text }), weight });
  }
  if (!["text", "image", "row", "plus", "minus"].some((name) => name in request)) return null;
  if (state.all) request.all = true;
  if (state.group) request.group = true;
  if (state.exact) request.exact = true;
  const filters = filters_of(state);
  return Object.keys(filters).length > 0 ? { ...request, filters } : request;
}

function filters_of(state) {
  const { filters: wanted } = state;
  const filters = {};
  for (const name of NUMBERS) if (wanted[name]) filters[name] = Math.max(0, Math.round(Number(wanted[name]) || 0));
  for (const name of TEXTS) if (wanted[name]) filters[name] = wanted[name];
  if (wanted.path)
    filters.path = wanted.path
      .split("|")
      .map((pattern) => pattern.trim())
      .filter(Boolean);
  if (wanted.path && wanted.path_case) filters.path_case = true;
  if (wanted.has_text) filters.has_text = wanted.has_text === "yes";
  if (wanted.label && wanted.run) Object.assign(filters, { label: [wanted.label], run: wanted.run });
  else if (wanted.label && labelling_of(state))
    Object.assign(filters, { label: [wanted.label], labelling: labelling_of(state) });
  return filters;
}
