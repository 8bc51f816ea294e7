// Dialogs in service: whether they pass their checks, and how many calls have them now.

import { $, framed, h, icon, keyed, list, put } from "./dom.js";
import { get, paths, toast } from "./api.js";
import { watch } from "./stream.js";

let found = [];
let words = "";
const live = new Map(); // call → dialog

const show = framed(() => {
  const n = {};
  for (const dialog of live.values()) n[dialog] = (n[dialog] ?? 0) + 1;
  keyed($("#dialogs"), found.filter((one) => `${one.name} ${one.about ?? ""} ${one.file ?? ""}`.toLowerCase().includes(words)), (one) => one.name, (one) =>
    h("a", { class: "panel dialog-card", href: `/dialogs/${encodeURIComponent(one.name)}`, "data-item": true },
      h("span", { class: "row" }, icon("flow"), h("h2", { class: "grow" }), h("span", { class: "chip" })), h("p", {}), h("span", { class: "row wrap note" })),
  (card, one) => {
    put($("h2", card), one.name);
    put($("p", card), one.about || one.description || "");
    const faults = (one.problems ?? []).filter((problem) => problem.severity !== "warning" && !problem.warning).length;
    const warnings = one.warnings?.length ?? (one.problems ?? []).length - faults;
    const chip = $(".chip", card);
    put(chip, faults ? `${faults} mistake${faults > 1 ? "s" : ""}` : warnings ? `${warnings} warning${warnings > 1 ? "s" : ""}` : "in order");
    chip.className = `chip ${faults ? "bad" : warnings ? "warn" : "good"}`;
    put($(".note", card), [one.language, one.steps && `${Array.isArray(one.steps) ? one.steps.length : one.steps} steps`, (one.routes ?? []).length && `routes ${one.routes.join(", ")}`, n[one.name] ? `${n[one.name]} live` : "no live call"].filter(Boolean).join(" · "));
  });
  $("#none").hidden = found.length > 0;
});

async function look() {
  try {
    found = list(await get(paths.dialogs()), "dialogs");
    show();
  } catch (error) {
    toast(error.message, "", "bad");
  }
}

look();
watch(["call"], "", (name, data, id) => {
  if (name === "snapshot") {
    live.clear();
    for (const call of list(data, "calls")) live.set(call.id, call.dialog);
  } else if (name === "call.began") live.set(id, data.call.dialog);
  else if (name === "call.ended") live.delete(id);
  else return;
  show();
});
$("#filter").addEventListener("input", (event) => {
  words = event.target.value.trim().toLowerCase();
  show();
});
