// Learning from what was said by hand, while it is said.

import { post } from "./api.js";
import { labelling, labelling_of } from "./labelling.js";
import { store } from "./state.js";

export const LEARNED = "judged"; // the name under which the classifier and the calibration are kept

// What the page's prompts say, also while a classifier answers in their place.
export const by_prompts = () => labelling_of({ ...store.now, classifier: "", threshold: 0, multi: false });

// The classifier, one training at a time; an answer that comes in meanwhile is learned by the next.
export class Learning extends EventTarget {
  #running = false;
  #again = false;

  constructor(kept) {
    super();
    this.kept = kept;
  }

  train() {
    return post("/v1/train", { ...by_prompts(), save: LEARNED });
  }

  // Trains in the background, and answers by what was learned where that is right at least as often on answers that it
  // had not seen.
  async soon() {
    this.#again = true;
    if (this.#running) return;
    this.#running = true;
    while (this.#again) {
      this.#again = false;
      try {
        const training = await this.train();
        this.dispatchEvent(new CustomEvent("learned", { detail: training }));
        if (helps(training)) this.use();
      } catch {
        // Too few answers yet, or all of one label: the next ones help.
      }
    }
    this.#running = false;
  }

  use() {
    if (store.now.classifier === LEARNED) labelling.ask();
    else store.edit({ classifier: LEARNED });
    this.kept.read();
  }
}

function helps({ ways }) {
  const learned = ways.at(-1);
  const rule = ways.find((way) => way.name.endsWith(`, ${store.now.rule}`)) ?? ways[0];
  return learned.accuracy >= rule.accuracy;
}
