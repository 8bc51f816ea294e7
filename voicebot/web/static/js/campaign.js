// One campaign: its figures, calls by hour, how calls ended.

import { $, colour, h, number, put } from "./dom.js";
import { ask, attempt, get, inOrder, paths, post } from "./api.js";
import { TONES } from "./campaigns.js";
import { line, watch } from "./stream.js";
import { roles } from "./shell.js";

const name = $("#campaign").dataset.name;
const LOOK_MS = 5000;
let campaign = null;
let plot = null;

function figure(value, word) {
  return h("div", {}, h("b", {}, value), h("span", {}, word));
}

function share(part, whole) {
  return whole ? `${((100 * part) / whole).toFixed(1)} %` : "–";
}

function show() {
  const { total: all, over: done } = campaign;
  put($("#state"), campaign.state);
  $("#state").className = `chip ${TONES[campaign.state] ?? ""}`;
  const why = $("#why");
  why.hidden = !campaign.why;
  put(why, campaign.why);
  const left = campaign.abandonment_30_days;
  const calls = Object.values(campaign.dispositions).reduce((sum, n) => sum + n, 0);
  $("#figures").replaceChildren(
    figure(number(calls), "calls"), figure(number(campaign.calls_today), "today"), figure(share(campaign.goals, calls), "reached the goal"),
    figure(number(Object.values(campaign.open).reduce((sum, n) => sum + n, 0)), "open now"), figure(share(left.abandoned, left.answered), "abandoned, 3 % is the limit"));
  $("#progress").value = all ? done / all : 0;
  put($("#progress-note"), `${number(done)} of ${number(all)} contacts done`);
  bars();
  hours();
  const pause = $("#pause");
  pause.hidden = !["running", "paused"].includes(campaign.state);
  put($("span", pause), campaign.state === "paused" ? "Resume" : "Pause");
  pause.querySelector("use").setAttribute("href", `/static/icons.svg#${campaign.state === "paused" ? "play" : "pause"}`);
  roles($("#campaign"));
}

function bars() {
  const rows = Object.entries({ ...campaign.dispositions }).filter(([, n]) => n).sort((a, b) => b[1] - a[1]);
  const most = Math.max(1, ...rows.map(([, n]) => n));
  $("#outcomes").replaceChildren(...(rows.length ? rows.flatMap(([word, n]) => [
    h("span", {}, word.replaceAll("_", " ")), h("div", { class: "bar" }, h("i", { style: { width: `${(100 * n) / most}%` } })), h("b", {}, number(n)),
  ]) : [h("span", { class: "note" }, "No call has ended yet.")]));
}

function hours() {
  const box = $("#by-hour");
  const shift = -Math.round(new Date().getTimezoneOffset() / 60); // counted in UTC, shown in the browser's own hours
  const at = (table, hour) => table[String((hour - shift + 24) % 24)] ?? table[String((hour - shift + 24) % 24).padStart(2, "0")] ?? 0;
  const xs = Array.from({ length: 24 }, (_, hour) => hour);
  const calls = xs.map((hour) => at(campaign.calls_by_hour, hour));
  const answered = xs.map((hour) => at(campaign.answered_by_hour, hour));
  const key = JSON.stringify([calls, answered, box.clientWidth, document.documentElement.dataset.theme, matchMedia("(prefers-color-scheme: dark)").matches]);
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  plot?.destroy();
  const { uPlot } = window;
  const bar = uPlot.paths.bars({ size: [0.62, 40], radius: 0.15 });
  const axis = { stroke: colour("--ink-3"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
  plot = new uPlot({
    width: box.clientWidth || 500, height: 230, padding: [12, 8, 0, 0], legend: { show: true, live: false }, cursor: { show: false },
    scales: { x: { time: false, range: [-0.6, 23.6] }, y: { range: (_, least, most) => [0, Math.max(5, most * 1.1)] } },
    axes: [{ ...axis, grid: { show: false }, values: (_, values) => values.map((value) => (Number.isInteger(value) ? `${value}` : "")) }, { ...axis, size: 44 }],
    series: [{}, { label: "placed", fill: colour("--line-strong"), stroke: colour("--line-strong"), paths: bar, points: { show: false } }, { label: "answered", fill: colour("--accent"), stroke: colour("--accent"), paths: bar, points: { show: false } }],
  }, [xs, ...[calls, answered].map((side) => side.map((n) => n || null))], box);
}

const answered = inOrder(() => get(paths.campaign(name)));

async function look() {
  try {
    await answered((answer) => {
      campaign = answer;
      line("live");
      show();
    });
  } catch (error) {
    if (error.status === 0) line("away");
    else {
      put($("#state"), "not there");
      const why = $("#why");
      why.hidden = false;
      put(why, error.problems?.map((problem) => `${problem.what}. ${problem.remedy}`).join(" ") ?? error.message);
    }
  }
}

$("#pause").addEventListener("click", async () => {
  const paused = campaign.state === "paused";
  if (!paused && !(await ask({ title: `Pause ${name}?`, text: "No new call is placed; calls that are open go on to their end.", yes: "Pause" }))) return;
  if (await attempt(() => post(paths.campaign(name, paused ? "resume" : "pause")))) look();
});
document.addEventListener("theme", () => campaign && hours());
window.addEventListener("resize", () => campaign && hours());
window.addEventListener("load", look);
setInterval(() => { if (!document.hidden) look(); }, LOOK_MS);
watch(["campaign"], name, (kind) => { if (kind !== "snapshot") look(); });
