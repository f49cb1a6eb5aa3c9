// Numbers and names as people read them.

const count_format = new Intl.NumberFormat("en");
const MEGABYTE = 1e6;

export const with_commas = (count) => count_format.format(count);

// 0.1234 -> "12.3 %", and never "100 %" or "0 %" of what is not all or nothing.
export function percent(share) {
  if (!Number.isFinite(share)) return "–";
  if (share > 0 && share < 0.001) return "<\u00a00.1\u00a0%";
  if (share < 1 && share > 0.999) return ">\u00a099.9\u00a0%";
  return `${(100 * share).toFixed(share === 0 || share === 1 ? 0 : 1)}\u00a0%`;
}

// A score between 0 and 1; nats and the like get their own digits.
export function score(value) {
  if (value === null || value === undefined) return "–";
  if (value > 0.9995 && value < 1) return ">\u00a0.999";
  if (value > 0 && value < 0.0005) return "<\u00a0.001";
  return value.toFixed(3);
}

export const plural = (count, one, many = `${one}s`) => `${with_commas(count)} ${count === 1 ? one : many}`;

export function bytes(size) {
  if (size >= MEGABYTE) return `${(size / MEGABYTE).toFixed(1)} MB`;
  return size >= 1000 ? `${Math.round(size / 1000)} kB` : `${size} bytes`;
}

export const file_name = (path) => path.slice(path.lastIndexOf("/") + 1);

export function folder_name(path) {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

export function duration(seconds) {
  if (seconds < 0.9995) return `${Math.max(1, Math.round(1000 * seconds))} ms`;
  return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
}
