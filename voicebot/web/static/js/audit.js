// Who did what: the newest first, older ones on demand.

import { $, h, when } from "./dom.js";
import { attempt, get, paths } from "./api.js";

let found = [];
let before = null;

function told(detail) {
  return Object.entries(detail ?? {}).map(([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : value}`).join(", ");
}

function show() {
  const words = $("#filter").value.trim().toLowerCase();
  const rows = found.filter((one) => JSON.stringify(Object.values(one)).toLowerCase().includes(words));
  $("#rows").replaceChildren(...rows.map((one) => h("tr", {},
    h("td", { class: "soft" }, when(one.at)), h("td", {}, h("b", {}, one.who)), h("td", {}, one.what.replaceAll("_", " ")),
    h("td", {}, one.target && h("span", { class: "mono" }, one.target), " ", h("span", { class: "note" }, told(one.detail))), h("td", { class: "less soft" }, one.address),
    h("td", {}, h("span", { class: `chip ${one.status < 400 ? "plain" : "bad"}` }, one.status < 400 ? "done" : `refused (${one.status})`)))));
  $("#none").hidden = found.length > 0;
  $("#older").hidden = before === null;
}

async function look() {
  await attempt(async () => {
    const answer = await get(paths.audit(before));
    found.push(...answer.actions);
    before = answer.before;
    show();
  });
}

$("#filter").addEventListener("input", show);
$("#older").addEventListener("click", look);
look();
