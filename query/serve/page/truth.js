// What people said of pictures: an event for everybody who shows something of it.

const said = new EventTarget();

export const truth_changed = () => said.dispatchEvent(new Event("change"));

export const on_truth = (callback, signal) => said.addEventListener("change", callback, { signal });
