// Thumbnails, a few at a time: a browser opens six connections to a server, and an answer to an edit must never wait
// behind pictures.

const AT_ONCE = 3;

const waiting = new Map(); // image -> address; the newest first, as those are what is in view
const loading = new Set();
let held = 0;

function next() {
  while (held === 0 && loading.size < AT_ONCE && waiting.size > 0) {
    const [image, address] = waiting.entries().next().value;
    waiting.delete(image);
    loading.add(image);
    image.src = address;
  }
}

function settle(event) {
  const image = event.target;
  image.classList.toggle("missing", event.type === "error");
  image.classList.toggle("here", event.type === "load");
  loading.delete(image);
  next();
}

// An <img> that shows what show() names, when it is its turn.
export function make_image(alt) {
  const image = new Image();
  image.alt = alt;
  image.decoding = "async";
  image.draggable = false;
  image.addEventListener("load", settle);
  image.addEventListener("error", settle);
  return image;
}

export function show(image, address) {
  if (image.dataset.address === address) return;
  forget(image);
  image.dataset.address = address;
  waiting.set(image, address);
  next();
}

// Of an image that is no longer in view: what it waited for is not asked for.
export function forget(image) {
  waiting.delete(image);
  delete image.dataset.address;
  image.classList.remove("missing", "here");
  if (image.hasAttribute("src")) image.removeAttribute("src");
  if (loading.delete(image)) next();
}

// While `promise` lasts, no further thumbnail begins.
export async function hold_during(promise) {
  ++held;
  try {
    return await promise;
  } finally {
    --held;
    next();
  }
}
