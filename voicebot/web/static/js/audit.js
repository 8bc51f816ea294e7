// Who did what.

import { $, h, list, when } from "./dom.js";
import { attempt, get } from "./api.js";

let found = [];

function show() {
  const words = $("#filter").value.trim().toLowerCase();
  const rows = found.filter((one) => JSON.stringify(Object.values(one)).toLowerCase().includes(words));
  $("#rows").replaceChildren(...rows.map((one) => h("tr", {}, h("td", {}, when(one.at)), h("td", {}, one.who), h("td", {}, String(one.what).replaceAll("_", " ")), h("td", { class: "mono" }, one.target), h("td", { class: "less soft" }, one.address ?? one.client ?? ""), h("td", {}, h("span", { class: `chip ${one.status < 400 ? "good" : "bad"}` }, one.status < 400 ? "done" : `refused (${one.status})`)))));
  $("#none").hidden = found.length > 0;
}

attempt(async () => {
  const answer = await get("/api/v1/audit");
  found = list(answer, list(answer, "actions").length ? "actions" : "entries");
  show();
});
$("#filter").addEventListener("input", show);
