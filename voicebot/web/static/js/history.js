// Past calls: the server makes the rows; here times are put into the browser's own zone and words.

import { $$, put, when } from "./dom.js";

function times(root = document) {
  for (const time of $$("time[data-at]", root)) {
    const at = Number(time.dataset.at);
    time.dateTime = new Date(at * 1000).toISOString();
    put(time, when(at));
  }
}

times();
document.addEventListener("htmx:afterSettle", () => times());
