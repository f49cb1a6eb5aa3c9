// The interface of the server, which /openapi.json describes. Errors are those that it tells.

export class ApiError extends Error {
  constructor({ code, subject, cause, cure }) {
    super(cause);
    Object.assign(this, { code, subject, cure });
  }
}

// Names this page to the server, so that its newest question ends its older ones. (randomUUID is for https alone.)
export const CLIENT = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) =>
  byte.toString(16).padStart(2, "0"),
).join("");

async function told(response) {
  if (response.status === 204) return null;
  const body = await response.json().catch(() => null);
  if (response.ok && body !== null) return body;
  throw new ApiError(
    body?.error ?? {
      code: "io",
      subject: "",
      cause: `the server answered ${response.status}`,
      cure: "Load the page again.",
    },
  );
}

// The page shows that it waits, while it does.
let waiting = 0;
async function waited_for(answer) {
  document.body.classList.toggle("waiting", ++waiting > 0);
  try {
    return await answer;
  } finally {
    document.body.classList.toggle("waiting", --waiting > 0);
  }
}

async function answer_of(method, path, body, signal) {
  const options = { method, signal };
  if (body !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError({
      code: "unavailable",
      subject: "",
      cause: "The server does not answer.",
      cure: "Is zeroshelf-query serve still running?",
    });
  }
  return told(response);
}

const ask = (...question) => waited_for(answer_of(...question));

export const get = (path, signal) => ask("GET", path, undefined, signal);
export const post = (path, body, signal) => ask("POST", path, body, signal);
export const put = (path, body, signal) => ask("PUT", path, body, signal);
export const remove = (path) => ask("DELETE", path);

export async function put_csv(path, text) {
  return told(await fetch(path, { method: "PUT", headers: { "Content-Type": "text/csv" }, body: text }));
}

// The server goes by the order in which questions arrive, and an older one may arrive last, though nobody waits for it: then
// the newest is asked again.
async function ask_again_if_overtaken(ask, signal) {
  while (true) {
    try {
      return await ask(signal);
    } catch (error) {
      if (error.code !== "overtaken" || signal.aborted) throw error;
    }
  }
}

// Asks one question at a time: a new one ends the one before, whose answer then never arrives.
export class Newest {
  #controller = null;

  // Calls ask(signal), then `done` or `failed`, unless a newer one was run in between.
  async run(ask, done, failed) {
    this.stop();
    const controller = new AbortController();
    this.#controller = controller;
    try {
      const answer = await ask_again_if_overtaken(ask, controller.signal);
      if (!controller.signal.aborted) done(answer);
    } catch (error) {
      if (!controller.signal.aborted) failed(error);
    } finally {
      if (this.#controller === controller) this.#controller = null;
    }
  }

  stop() {
    this.#controller?.abort();
    this.#controller = null;
  }

  get running() {
    return this.#controller !== null;
  }
}

const of_picture = (picture) => `/v1/pictures/${picture.row}`;
const content = (picture, before) => (picture.sha256 ? `${before}sha256=${picture.sha256}` : "");

export const picture_address = (picture) => `${of_picture(picture)}${content(picture, "?")}`;
export const evidence_address = (picture) => `${of_picture(picture)}/evidence${content(picture, "?")}`;
export const file_address = (picture) => `${of_picture(picture)}/file${content(picture, "?")}`;
export const thumbnail_address = (picture, size) =>
  `${of_picture(picture)}/thumbnail?size=${size}${content(picture, "&")}`;
