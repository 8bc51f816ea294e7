// Past calls: search as you type, older ones on demand.

import { $, clock, h, icon, latency, list, pace, when } from "./dom.js";
import { get, toast } from "./api.js";

const WAIT_MS = 180;
const form = $("#search-form");
let cursor = "";
let asked = 0;
let timer = 0;

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

function row(one) {
  const caller = typeof one.caller === "object" ? one.caller : { number: one.caller, name: one.caller_name };
  const dialog = typeof one.dialog === "object" ? one.dialog?.name : one.dialog;
  const late = one.latency_ms ?? median((one.turns ?? []).map((turn) => turn.latency_ms).filter((ms) => ms != null));
  const who = caller?.name || caller?.number || (one.direction === "browser" ? "Browser" : "withheld");
  return h("tr", {},
    h("td", {}, when(one.started_at)),
    h("td", {}, h("a", { class: "whole", href: `/history/${encodeURIComponent(one.id)}`, "data-item": true }, who), one.match && h("div", { class: "soft clip" }, one.match)),
    h("td", { class: "less soft" }, dialog),
    h("td", {}, h("span", { class: `chip ${one.goal ? "good" : one.outcome === "error" ? "bad" : ""}` }, one.outcome || "–"), (one.faults?.length || one.faults > 0) ? h("span", { class: "chip bad" }, "trouble") : null),
    h("td", { class: "num" }, clock(one.duration_ms ?? 0)),
    h("td", { class: `num less ${pace(late)}` }, latency(late)),
    h("td", { class: "less soft" }, one.recording ? icon("volume") : null));
}

async function search(more = false) {
  const mine = ++asked;
  const query = new URLSearchParams();
  const q = form.q.value.trim();
  if (q) query.set("q", q);
  for (const name of ["direction", "goal"]) if (form[name].value) query.set(name, form[name].value);
  if (!more) history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
  if (more && cursor) query.set("cursor", cursor);
  let answer;
  try {
    answer = await get(`/api/v1/history?${query}`);
  } catch (error) {
    toast(error.message, error.problems?.[0]?.remedy ?? "", "bad");
    return;
  }
  if (mine !== asked) return;
  const found = list(answer, list(answer, "records").length ? "records" : "calls");
  cursor = answer.cursor ?? answer.next ?? "";
  const rows = found.map(row);
  if (more) $("#rows").append(...rows);
  else $("#rows").replaceChildren(...rows);
  const n = $("#rows").children.length;
  $("#older").hidden = !cursor;
  $("#table").hidden = n === 0;
  $("#none").hidden = n > 0 || query.size > 0;
  $("#no-match").hidden = n > 0 || query.size === 0;
  $("#found").textContent = n ? `${answer.total ?? `${n}${cursor ? "+" : ""}`} calls` : "";
}

const later = () => {
  clearTimeout(timer);
  timer = setTimeout(search, WAIT_MS);
};
const start = new URLSearchParams(location.search);
for (const name of ["q", "direction", "goal"]) form[name].value = start.get(name) ?? "";
form.q.addEventListener("input", later);
form.addEventListener("change", () => search());
form.addEventListener("submit", (event) => {
  event.preventDefault();
  search();
});
$("#older").addEventListener("click", () => search(true));
search();
