// One live call: its words as they come, what is known, where it is, and what a supervisor can do about it.

import { acting, follow, visitFailed } from "./acting.js";
import { $, $$, attribute, clock, colour, framed, h, icon, latency, list, may, pace, put, when } from "./dom.js";
import { apply, nameOf, newCall, stateOf, who } from "./livecall.js";
import { get, paths } from "./api.js";
import { Listening } from "./listening.js";
import { Picture } from "./picture.js";
import { Speaking } from "./speaking.js";
import { roles } from "./shell.js";
import { watch } from "./stream.js";
import { did, Turns } from "./turns.js";

const id = $("#call").dataset.call;
const turns = new Turns($("#talk"));
const picture = new Picture($("#picture"));
const listening = new Listening(id);
const speaking = new Speaking(id);
let call = null;
let know;
const known = new Promise((resolve) => { know = resolve; });
acting({ id, call: () => call, known, listening, speaking });
let ahead = 0;
let drawn = "";
let slotsShown = null;
let lastLine = -1;

const show = framed(() => {
  if (!call) return;
  document.title = `${who(call)} · voicebot`;
  put($("#who"), who(call));
  chips();
  attribute($("#floor"), "data-floor", call.floor ?? "nobody");
  put($("#floor-word"), call.ended ? "" : { bot: "the bot speaks", caller: "the caller speaks" }[call.floor] ?? "silence");
  turns.show(call.turns, call);
  put($("#dialog-name"), [call.dialog, call.language].filter(Boolean).join(" · "));
  path();
  facts();
  slots();
  chart();
  buttons();
  follow(call);
  if (drawn !== call.dialog_file && call.dialog_file) {
    drawn = call.dialog_file;
    draw();
  } else picture.path(call.path, call.step);
});

async function draw() {
  const dialogs = list(await get(paths.dialogs()).catch(() => []), "dialogs");
  await picture.show(nameOf(call, dialogs) || call.dialog); // which tells why there is none
  picture.path(call.path, call.step);
}

function chips() {
  const [word, tone] = stateOf(call);
  const found = [[word, tone]];
  if (call.faults.length) found.push(["trouble", "bad"]);
  if (call.recording === "on") found.push(["recording", "bad rec", true]);
  if (call.recording === "paused") found.push(["recording paused", "warn"]);
  if (call.direction === "outbound") found.push([call.campaign ? `campaign ${call.campaign}` : "called by us", ""]);
  for (const name of call.supervisors ?? []) found.push([`${name} is here`, "person"]);
  const key = JSON.stringify(found);
  const box = $("#chips");
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  box.replaceChildren(...found.filter(([text]) => text).map(([text, class_, dot]) => h("span", { class: `chip ${class_}` }, dot && h("i"), text)));
}

function path() {
  const box = $("#path");
  const key = call.path.join(">");
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  const shown = call.path.slice(-8);
  box.replaceChildren(...(call.path.length > 8 ? [h("i", {}, "… ›")] : []), ...shown.flatMap((step, at) => [
    at ? h("i", { "aria-hidden": "true" }, "›") : null,
    h("span", at === shown.length - 1 ? { class: "now", "aria-current": "step" } : {}, step),
  ]).filter(Boolean));
}

function facts() {
  const rows = [
    ["Trouble", call.faults.join("; ")],
    ["Caller", [call.caller_name, call.caller].filter(Boolean).join(" · ") || "withheld"],
    ["Called", call.called],
    ["Dialog", call.dialog],
    ["Queue", call.queue],
    ["Person", call.person],
    ["In short", call.summary],
    ["Began", when(call.started_at)],
    ["Outcome", call.ended ? [call.outcome, call.ended_by && `ended by ${call.ended_by}`].filter(Boolean).join(", ") : ""],
  ].filter(([, value]) => value);
  const key = JSON.stringify(rows);
  const box = $("#facts");
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  box.replaceChildren(...rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
  if (call.ended && call.record) box.append(h("dt", {}, "Record"), h("dd", {}, h("a", { href: `/history/${encodeURIComponent(id)}` }, "Look and listen")));
}

function slots() {
  const key = JSON.stringify(call.slots);
  if (slotsShown?.key === key) return;
  const before = slotsShown?.values;
  slotsShown = { key, values: call.slots };
  const rows = Object.entries(call.slots ?? {}).filter(([, value]) => value !== null && value !== "");
  $("#no-slots").hidden = rows.length > 0;
  $("#slots").replaceChildren(...rows.map(([name, value]) => {
    const text = typeof value === "object" ? JSON.stringify(value) : String(value);
    const fresh = before && JSON.stringify(before[name]) !== JSON.stringify(value);
    return h("div", { class: `slot${fresh ? " fresh" : ""}` }, h("dt", {}, name), h("dd", {}, text),
      h("dd", {}, text !== "•••" && h("button", { class: "button quiet small icon-only", type: "button", "data-correct": name, "data-needs": "supervisor", "aria-label": `Correct ${name}`, title: "Correct" }, icon("edit"))));
  }));
  roles($("#slots"));
}

function chart() {
  const values = call.turns.filter((turn) => turn?.who === "bot" && turn.latency_ms != null).map((turn) => turn.latency_ms);
  const canvas = $("#latency");
  const key = values.join(",") + canvas.clientWidth + document.documentElement.dataset.theme;
  if (canvas.dataset.key === key) return;
  canvas.dataset.key = key;
  const sorted = [...values].sort((a, b) => a - b);
  put($("#latency-note"), values.length ? `last ${latency(values.at(-1))} · median ${latency(sorted[Math.floor(sorted.length / 2)])}` : "no turn yet");
  const ratio = devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, 56];
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  const most = Math.max(2000, ...values);
  const shown = values.slice(-40);
  const step = Math.min(26, width / Math.max(shown.length, 12));
  context.strokeStyle = colour("--line");
  for (const mark of [1000, 2000]) {
    const y = height - (mark / most) * (height - 4);
    context.beginPath();
    context.moveTo(0, y);
    context.lineTo(width, y);
    context.stroke();
  }
  shown.forEach((value, at) => {
    const tall = Math.max(3, (value / most) * (height - 4));
    context.fillStyle = colour({ slow: "--warn", slower: "--bad" }[pace(value)] ?? "--bot");
    context.beginPath();
    context.roundRect(at * step, height - tall, step - 4, tall, 3);
    context.fill();
  });
}

function buttons() {
  const held = call.held;
  put($("span", $('[data-act="hold"]')), held ? "Release bot" : "Hold bot");
  const recording = call.recording ?? "off";
  put($("span", $('[data-act="record"]')), recording === "off" ? "Record" : "Stop rec.");
  put($('[data-act="pause-recording"] span'), recording === "paused" ? "Resume rec." : "Pause rec.");
  if (call.ended) for (const button of $$("[data-act], #listen, #say button, #say input, [data-correct]")) {
    button.disabled = true;
    button.title = "The call is over";
  }
  if (call.ended || !may("supervisor")) return;
  const unless = (why, ...names) => {
    for (const name of names) {
      const button = $(`[data-act="${name}"]`);
      button.disabled = Boolean(why);
      button.title = why;
    }
  };
  unless(call.state === "talking" ? "" : "The bot is no longer in this call", "hold", "jump");
  unless(recording === "off" ? "Nothing is recorded" : "", "pause-recording");
}

const LINES = {
  intervention: did,
  fault: ({ text }) => text,
  language: ({ language }) => `goes on in ${language}`,
};

/** The page as the snapshot has it: its lines where they belong among its turns. */
function anew() {
  turns.clear();
  turns.show(call.turns);
  lastLine = call.lines.at(-1)?.index ?? -1;
  for (const one of call.lines) turns.lineAt(one.at_ms, LINES[one.kind](one), one.kind === "fault");
}

/** The last that stands here: it has ended, and how. */
function over({ ended_by, outcome }) {
  turns.show(call.turns, call);
  turns.line(`The call has ended${ended_by ? `: ${ended_by}` : ""}${outcome ? ` (${outcome})` : ""}`);
  listening.stop("the call is over");
  speaking.stop();
}

document.addEventListener("keydown", (event) => {
  if (event.key === "e" && !event.ctrlKey && !event.metaKey && !event.target.closest("input, textarea, select, dialog")) $("#listen").click();
});
document.addEventListener("theme", () => show());
window.addEventListener("resize", () => show());

watch(["call"], id, (name, data, newsId) => {
  if (name === "snapshot") {
    if (data.at) ahead = data.at * 1000 - Date.now();
    const found = list(data, "calls").find((one) => one.id === id);
    if (found) {
      call = newCall(found);
      anew();
    } else if (!call) {
      // it was over before we came: its record tells all
      location.replace(`/history/${encodeURIComponent(id)}`);
      return;
    } else if (!call.ended) {
      apply(call, "ended", {});
      over({});
    }
    show();
    know();
    return;
  }
  if (newsId !== id) return;
  const kind = name.slice("call.".length);
  if (kind === "began") call = newCall(data.call);
  if (!call) return;
  if (kind in LINES) {
    if (data.index <= lastLine) return; // the snapshot had it already
    lastLine = data.index;
  }
  apply(call, kind, data);
  if (kind === "ended") over(data);
  if (kind === "visit_failed") visitFailed(data);
  if (kind in LINES) turns.line(LINES[kind](data), kind === "fault");
  show();
});

setInterval(() => {
  if (call && !call.ended && !document.hidden) put($("#time"), clock(Date.now() + ahead - call.started_at * 1000));
}, 1000);
