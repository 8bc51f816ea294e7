// All campaigns: how far they are.

import { $, framed, h, keyed, number, put } from "./dom.js";
import { get, inOrder, paths } from "./api.js";
import { line, watch } from "./stream.js";

export const TONES = { running: "good", paused: "warn", halted: "bad", stopped: "bad", done: "", finished: "", draft: "" };
const LOOK_MS = 10000;
let found = [];
let words = "";

const show = framed(() => {
  const box = $("#campaigns");
  if (!box) return;
  keyed(box, found.filter((one) => one.name.toLowerCase().includes(words)), (one) => one.name, (one) =>
    h("a", { class: "campaign-row call-link", href: `/campaigns/${encodeURIComponent(one.name)}`, "data-item": true },
      h("span", {}, h("b", {}), h("small", {})), h("span", { class: "wide" }, h("progress", { max: 1, value: 0, "aria-label": "Done" })),
      h("span", { class: "extra num" }), h("span", { class: "extra num" }), h("span", { class: "chip" })),
  (row, one) => {
    const { total: all, over: done } = one;
    const [, calls, goals] = row.querySelectorAll(".wide, .extra");
    put($("b", row), one.name);
    put($("small", row), `${number(done)} of ${number(all)} done${one.why ? ` · ${one.why}` : ""}`);
    $("progress", row).value = all ? done / all : 0;
    put(calls, `${number(one.calls_today)} today`);
    put(goals, `${number(one.goals)} goals`);
    put($(".chip", row), one.state);
    $(".chip", row).className = `chip ${TONES[one.state] ?? ""}`;
  });
  $("#none").hidden = found.length > 0;
});

const answered = inOrder(() => get(paths.campaigns()));

async function look() {
  try {
    await answered(take);
  } catch (error) {
    if (error.status === 0) line("away");
    else throw error;
  }
}

function take(answer) {
  found = answer.campaigns;
  put($("#diallers"), found.length ? (answer.diallers.length ? `placed by ${answer.diallers.join(", ")} · room for ${number(answer.room)} more calls` : "no dialler runs: `voicebot campaign run` places the calls") : "");
  line("live");
  show();
}

if ($("#campaigns")) {
  look();
  setInterval(() => { if (!document.hidden) look(); }, LOOK_MS);
  watch(["campaign"], "", (name) => { if (name !== "snapshot") look(); });
  $("#filter").addEventListener("input", (event) => {
    words = event.target.value.trim().toLowerCase();
    show();
  });
}
