// Dialogs in service: whether they pass their checks, and how many calls have them now.

import { $, framed, h, icon, keyed, list, put, when } from "./dom.js";
import { get, paths, toast } from "./api.js";
import { nameOf } from "./livecall.js";
import { watch } from "./stream.js";

let found = [];
let words = "";
const live = new Map(); // id → call
const checks = new Map(); // dialog → {of: what was checked, findings}
const LOOK_MS = 10000;

const show = framed(() => {
  const n = {};
  for (const name of [...live.values()].map((call) => nameOf(call, found))) n[name] = (n[name] ?? 0) + 1;
  keyed($("#dialogs"), found.filter((one) => `${one.name} ${one.file} ${one.about}`.toLowerCase().includes(words)), (one) => one.name, (one) =>
    h("a", { class: "panel dialog-card", href: `/dialogs/${encodeURIComponent(one.name)}`, "data-item": true },
      h("span", { class: "row" }, icon("flow"), h("h2", { class: "grow" }), h("span", { class: "chip" })), h("p", {}), h("span", { class: "row wrap note" })),
  (card, one) => {
    put($("h2", card), one.name);
    put($("p", card), one.problems.length ? `A newer version was refused: ${one.problems[0].what}` : one.about || one.file.split("/").slice(-2).join("/"));
    const found = checks.get(one.name);
    const faults = found?.findings.filter((each) => !each.warning).length ?? 0;
    const warnings = (found?.findings.length ?? 0) - faults;
    const chip = $(".chip", card);
    put(chip, !found ? "checking…" : faults ? `${faults} mistake${faults > 1 ? "s" : ""}` : warnings ? `${warnings} warning${warnings > 1 ? "s" : ""}` : "in order");
    chip.className = `chip ${!found ? "plain" : faults ? "bad" : warnings ? "warn" : "good"}`;
    put($(".note", card), `version ${one.version.slice(0, 8)} since ${when(one.since)} · ${n[one.name] ? `${n[one.name]} live call${n[one.name] > 1 ? "s" : ""}` : "no live call"}`);
  });
  $("#none").hidden = found.length > 0;
});

async function look() {
  try {
    found = list(await get(paths.dialogs()), "dialogs");
    show();
    for (const one of found) { // one after the other: a check takes the gateway some milliseconds
      const of = JSON.stringify([one.version, one.problems]);
      if (checks.get(one.name)?.of === of) continue;
      checks.set(one.name, { of, findings: (await get(paths.check(one.name))).findings });
      show();
    }
  } catch (error) {
    if (!found.length) toast(error.message, "", "bad"); // later the page says itself that the gateway is away
  }
}

look();
setInterval(() => { if (!document.hidden) look(); }, LOOK_MS);
watch(["call"], "", (name, data, id) => {
  if (name === "snapshot") {
    live.clear();
    for (const call of list(data, "calls")) live.set(call.id, call);
  } else if (name === "call.began") live.set(id, data.call);
  else if (name === "call.ended") live.delete(id);
  else return;
  show();
});
$("#filter").addEventListener("input", (event) => {
  words = event.target.value.trim().toLowerCase();
  show();
});
