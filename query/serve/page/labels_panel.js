// The labels, one a line, edited as text is: Enter begins a line, Backspace in an empty one removes it, arrows go up and
// down, pasted lines become lines. Beside each stand its count, share and scores.

import { h, new_name, problem, replace, set_text } from "./dom.js";
import { make_histogram, make_threshold } from "./histogram.js";
import { COLOURS, labelling, parse_line } from "./labelling.js";
import { store } from "./state.js";
import { percent, with_commas } from "./text.js";

const OWN_TEMPLATE = "own";

export function make_labels_panel(collection, kept) {
  const lines = new Lines();
  const threshold = make_threshold((value) => store.edit({ threshold: value }));
  const trouble = h("div", { "aria-live": "polite" });
  const settings = make_settings(collection, kept);
  const toggle = h(
    "button",
    {
      type: "button",
      class: "fold quiet",
      "aria-expanded": "true",
      onclick: () => fold(!panel.classList.contains("folded")),
    },
    "Labels",
  );
  const panel = h(
    "div",
    { class: "labels" },
    h("div", { class: "head" }, h("h2", {}, "Labels"), toggle, h("span", { class: "muted", id: "label-sum" })),
    h("div", { class: "foldable" }, lines.classifier, lines.element, trouble, threshold.element, settings.element),
  );
  function fold(shut) {
    panel.classList.toggle("folded", shut);
    toggle.setAttribute("aria-expanded", String(!shut));
  }

  function show() {
    const { answer, error } = labelling;
    lines.show(answer);
    replace(
      trouble,
      error && problem(error),
      (answer?.warnings ?? []).map((text) => h("p", { class: "warning" }, text)),
    );
    threshold.element.hidden = !answer;
    // With several labels a picture there is one also where nobody chose it.
    const least = store.now.threshold || (store.now.multi && answer?.threshold) || 0;
    if (answer) threshold.show(sum_of_histograms(answer), least, answer.unsure, answer.pictures);
    set_text(panel.querySelector("#label-sum"), answer ? `${with_commas(answer.pictures)} pictures` : "");
  }

  labelling.addEventListener("answer", show);
  // On a phone they make room for what they are there for.
  const make_room = () => {
    const typing = store.now.view === "shelves" && store.now.lines.length === 0;
    if (matchMedia("(max-width: 700px)").matches) fold(!typing);
  };
  store.listen((changed) => {
    if (changed.has("lines")) lines.read();
    if (changed.has("classifier")) show();
    if (changed.has("view")) make_room();
    settings.read();
  });
  lines.read();
  settings.read();
  show();
  make_room();
  return { element: panel, focus: () => (fold(false), lines.focus(Infinity)) };
}

const sum_of_histograms = (answer) =>
  Array.from({ length: answer.bins }, (_, bin) => answer.labels.reduce((sum, label) => sum + label.histogram[bin], 0));

// The lines of the editor; the last one is empty and waits.
class Lines {
  element = h("ol", { class: "lines", "aria-label": "Labels, one a line" });
  classifier = h("p", { class: "note", hidden: true });
  #items = [];

  constructor() {
    this.element.addEventListener("input", () => this.#write());
    this.element.addEventListener("keydown", (event) => this.#key(event));
    this.element.addEventListener("paste", (event) => this.#paste(event));
  }

  get #values() {
    return this.#items.map((item) => item.input.value);
  }

  // As the state has them, unless they stand here already (it was this editor that changed it).
  read() {
    const wanted = store.now.lines;
    if (this.#items.length > 0 && JSON.stringify(this.#values.filter((line) => line !== "")) === JSON.stringify(wanted))
      return;
    this.#set([...wanted, ""]);
  }

  focus(place) {
    const item = this.#items[Math.min(place, this.#items.length - 1)];
    item?.input.focus();
  }

  show(answer) {
    this.#show_classifier();
    const of_name = new Map((answer?.labels ?? []).map((label, place) => [label.name, { ...label, place }]));
    const most = Math.max(1, ...(answer?.labels ?? []).flatMap((label) => label.histogram));
    const shown = new Set();
    for (const item of this.#items) {
      const name = parse_line(item.input.value)?.name;
      const label = shown.has(name) ? undefined : of_name.get(name);
      item.show(label, most, answer);
      if (label) shown.add(name);
    }
  }

  // Labels that a classifier brings stand as they are.
  #show_classifier() {
    const { classifier } = store.now;
    this.classifier.hidden = classifier === "";
    this.element.classList.toggle("aside", classifier !== "");
    if (classifier === "") return;
    replace(
      this.classifier,
      "Answered by what ",
      h("strong", {}, classifier),
      " learned from your answers. ",
      h(
        "button",
        { type: "button", class: "link", onclick: () => store.go({ classifier: "" }) },
        "Back to the labels’ prompts",
      ),
    );
  }

  #write() {
    if (this.#items.at(-1)?.input.value !== "") this.#insert(this.#items.length, "");
    store.edit({ lines: this.#values.filter((line) => line !== ""), classifier: "" });
  }

  #set(values) {
    this.#items = [];
    replace(this.element);
    for (const value of values) this.#insert(this.#items.length, value);
    this.show(labelling.answer);
  }

  #insert(place, value) {
    const item = new Line(value, () => this.#remove(item));
    this.#items.splice(place, 0, item);
    this.element.insertBefore(item.element, this.element.children[place] ?? null);
    return item;
  }

  #remove(item) {
    const place = this.#items.indexOf(item);
    if (this.#items.length === 1) item.input.value = "";
    else {
      this.#items.splice(place, 1);
      item.element.remove();
    }
    this.#write();
    this.focus(Math.max(0, place - 1));
  }

  #key(event) {
    const place = this.#items.findIndex((item) => item.input === event.target);
    if (place < 0 || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const { input } = this.#items[place];
    if (event.key === "Enter") this.#insert_after(place);
    else if (event.key === "ArrowDown") this.focus(place + 1);
    else if (event.key === "ArrowUp") this.focus(Math.max(0, place - 1));
    else if (event.key === "Backspace" && input.value === "" && this.#items.length > 1)
      this.#remove(this.#items[place]);
    else return;
    event.preventDefault();
  }

  #insert_after(place) {
    if (this.#items[place + 1]?.input.value !== "") this.#insert(place + 1, "");
    this.focus(place + 1);
  }

  #paste(event) {
    const text = event.clipboardData.getData("text/plain");
    const place = this.#items.findIndex((item) => item.input === event.target);
    if (place < 0 || !/[\r\n]/.test(text.trim())) return;
    event.preventDefault();
    const pasted = text.split(/[\r\n]+/).filter((line) => line.trim() !== "");
    const { input } = this.#items[place];
    input.setRangeText(pasted[0], input.selectionStart, input.selectionEnd, "end");
    pasted.slice(1).forEach((line, offset) => this.#insert(place + 1 + offset, line));
    this.focus(place + pasted.length - 1);
    this.#write();
  }
}

class Line {
  #dot = h("span", { class: "dot", "aria-hidden": "true" });
  #count = h("span", { class: "count" });
  #share = h("span", { class: "share muted" });
  #histogram = make_histogram("Scores");
  #figures;

  constructor(value, remove) {
    const figures = new_name("figures");
    this.input = h("input", {
      type: "text",
      value,
      spellcheck: "false",
      autocomplete: "off",
      autocapitalize: "off",
      placeholder: "another label",
      "aria-label": "Label",
      "aria-describedby": figures,
      title: "name, or name: prompt | prompt",
    });
    this.#figures = h(
      "div",
      { class: "figures", id: figures },
      h("button", { type: "button", class: "show-shelf quiet", onclick: () => this.#open() }, this.#count, this.#share),
      this.#histogram.element,
    );
    this.element = h(
      "li",
      { class: "label-line" },
      this.#dot,
      this.input,
      h("button", { type: "button", class: "remove quiet", "aria-label": "Remove this label", onclick: remove }, "✕"),
      this.#figures,
    );
  }

  #open() {
    store.go({ view: "shelves", shelf: parse_line(this.input.value).name });
  }

  show(label, most, answer) {
    const prompts = parse_line(this.input.value)?.prompts ?? [];
    this.element.className = `label-line ${label ? `colour-${label.place % COLOURS}` : "colour-unsure"}`;
    this.element.classList.toggle("empty", this.input.value === "");
    this.element.classList.toggle("with-prompts", prompts.length > 0);
    this.#figures.hidden = !label;
    if (!label) return;
    set_text(this.#count, with_commas(label.count));
    set_text(this.#share, percent(label.share));
    this.#histogram.show(label.histogram, most, answer.threshold ?? 0);
  }
}

// Template, rule, none, several labels; what was kept by calibrate and train.
function make_settings(collection, kept) {
  const select = (name, onchange, options) => h("select", { id: new_name(name), onchange }, options);
  const template_names = collection.templates.map((set) => set.name);
  const own = h("input", {
    type: "text",
    placeholder: "a drawing of a {}",
    "aria-label": "Template of your own, with {} for the label",
    hidden: true,
    oninput: () => own.value.includes("{}") && store.edit({ template: own.value }),
  });
  const template = select(
    "template",
    () => {
      own.hidden = template.value !== OWN_TEMPLATE;
      if (own.hidden) store.go({ template: template.value });
      else own.focus();
    },
    [
      ...template_names.map((name) => h("option", { value: name }, name)),
      h("option", { value: OWN_TEMPLATE }, "your own…"),
    ],
  );
  const rule = select(
    "rule",
    (event) => {
      const [kind, name] = event.target.value.split(/:(.*)/s);
      store.go(
        kind === "rule"
          ? { rule: name, calibration: "", classifier: "" }
          : { calibration: "", classifier: "", [kind]: name },
      );
    },
    [],
  );
  const multi = h("input", {
    type: "checkbox",
    id: new_name("multi"),
    onchange: () => store.go({ multi: multi.checked }),
  });
  const none = h("input", { type: "checkbox", id: new_name("none"), onchange: () => store.go({ none: none.checked }) });
  const none_prompts = h("input", {
    type: "text",
    placeholder: collection.none_prompts.join(" | "),
    "aria-label": "What none of these is like: prompt | prompt",
    spellcheck: "false",
    oninput: () => store.edit({ none_prompts: none_prompts.value }),
  });
  const help = h("p", { class: "muted help" });

  function fill_rules() {
    const named = (kind, items) => items.map((item) => h("option", { value: `${kind}:${item.name}` }, item.name));
    replace(
      rule,
      h("optgroup", { label: "Rules" }, named("rule", collection.fusion)),
      kept.calibrations.length > 0 &&
        h("optgroup", { label: "mix, calibrated" }, named("calibration", kept.calibrations)),
      kept.classifiers.length > 0 && h("optgroup", { label: "Learned" }, named("classifier", kept.classifiers)),
    );
  }

  function read() {
    const { now } = store;
    if (!template_names.includes(now.template)) {
      if (document.activeElement !== own) own.value = now.template;
      own.hidden = false;
      template.value = OWN_TEMPLATE;
    } else if (template.value !== OWN_TEMPLATE || document.activeElement !== own) {
      template.value = now.template;
      own.hidden = true;
    }
    fill_rules();
    const chosen = ["classifier", "calibration"].find((kind) => now[kind] !== "");
    rule.value = chosen ? `${chosen}:${now[chosen]}` : `rule:${now.rule}`;
    if (rule.selectedIndex < 0 && chosen) {
      rule.append(h("option", { value: `${chosen}:${now[chosen]}` }, now[chosen]));
      rule.value = `${chosen}:${now[chosen]}`;
    }
    multi.checked = now.multi;
    none.checked = now.none;
    none_prompts.hidden = !now.none;
    if (document.activeElement !== none_prompts) none_prompts.value = now.none_prompts;
    const sets = collection.templates.find((set) => set.name === now.template);
    set_text(help, chosen ? "" : (collection.fusion.find((one) => one.name === now.rule)?.help ?? ""));
    template.title = sets ? sets.templates.join("\n") : "";
    element.classList.toggle("aside", now.classifier !== "");
  }

  const element = h(
    "div",
    { class: "settings" },
    h("label", { for: template.id }, "Template"),
    h("div", { class: "stack" }, template, own),
    h("label", { for: rule.id }, "Decided by"),
    h("div", { class: "stack" }, rule, help),
    h("span", {}),
    h(
      "div",
      { class: "stack" },
      h("label", { class: "check", for: none.id }, none, "none of these, too"),
      none_prompts,
      h(
        "label",
        { class: "check several", for: multi.id, title: "Every label whose score is the threshold or more" },
        multi,
        "several labels a picture",
      ),
    ),
  );
  kept.addEventListener("change", read);
  return { element, read };
}
