// The list of live calls. News are applied to plain objects at once; rows are patched once a frame, and only
// those that changed, and in them only the texts that differ. The tick of the clock touches rows in sight.

import { $, $$, attribute, clock, framed, h, latency, list, number, pace, put, wave } from "./dom.js";
import { apply, lastSaid, newCall, sort, stateOf, trouble, who } from "./livecall.js";
import { counts } from "./shell.js";
import { watch } from "./stream.js";

const GONE_MS = 4000;
const rows = $("#rows");
/** id → {call, el, refs, shown} */
const calls = new Map();
const dirty = new Set();
const inSight = new Set();
let which = "all";
let words = "";
let ahead = 0; // how far the gateway's clock is ahead of ours, in ms

const sight = new IntersectionObserver((changes) => {
  for (const change of changes) {
    const entry = calls.get(change.target.dataset.key);
    if (!entry) continue;
    if (change.isIntersecting) {
      inSight.add(entry);
      tickOne(entry);
    } else inSight.delete(entry);
  }
}, { rootMargin: "120px" });

function add(call) {
  const text = (name, props = {}) => h("span", props);
  const refs = {
    wave: wave(), name: h("b"), number: h("small"), dialog: h("b"), step: h("small"),
    callerSays: h("span", { class: "caller-says" }), botSays: h("span", { class: "bot-says" }),
    state: text("state"), late: h("span", { class: "num late" }), time: h("span", { class: "num time" }),
  };
  const el = h("a", { class: "call", href: `/calls/${encodeURIComponent(call.id)}`, "data-key": call.id, "data-item": true },
    refs.wave, h("span", { class: "two who" }, refs.name, refs.number), h("span", { class: "two where" }, refs.dialog, refs.step),
    h("span", { class: "last" }, refs.callerSays, refs.botSays), h("span", { class: "state" }, refs.state), refs.late, refs.time);
  const entry = { call: newCall(call), el, refs };
  calls.set(call.id, entry);
  sight.observe(el);
  return entry;
}

function patch({ call, el, refs }) {
  attribute(refs.wave, "data-floor", call.floor ?? "nobody");
  put(refs.name, who(call));
  put(refs.number, [call.caller_name ? call.caller : "", { outbound: "outbound", browser: "microphone" }[call.direction] ?? (call.called ? `to ${call.called}` : "")].filter(Boolean).join(" · "));
  put(refs.dialog, call.dialog);
  put(refs.step, call.queue && call.state === "waiting" ? `queue ${call.queue}` : call.person && call.state === "with_person" ? call.person : call.step);
  put(refs.callerSays, call.partial || lastSaid(call, "caller"));
  refs.callerSays.classList.toggle("partial", Boolean(call.partial));
  put(refs.botSays, call.saying || lastSaid(call, "bot"));
  refs.botSays.classList.toggle("now", call.floor === "bot");
  const [word, tone] = call.faults.length && !call.ended ? ["trouble", "bad"] : stateOf(call);
  put(refs.state, word);
  refs.state.className = `chip ${tone}`;
  put(refs.late, latency(call.latency_ms));
  refs.late.className = `num late ${pace(call.latency_ms)}`;
  el.classList.toggle("gone", Boolean(call.ended));
  const hide = !matches(call);
  if (el.hidden !== hide) el.hidden = hide;
}

function matches(call) {
  if (which === "trouble" ? !trouble(call) : which !== "all" && sort(call) !== which) return false;
  if (!words) return true;
  const text = [call.caller, call.caller_name, call.called, call.dialog, call.step, call.campaign, call.queue, call.person, call.partial, lastSaid(call, "caller"), lastSaid(call, "bot")].join(" ").toLowerCase();
  return words.split(/\s+/).every((word) => text.includes(word));
}

function tickOne({ call, refs }) {
  if (!call.ended) put(refs.time, clock(Date.now() + ahead - call.started_at * 1000));
}

const flush = framed(() => {
  const began = performance.now();
  for (const id of dirty) {
    const entry = calls.get(id);
    if (entry) patch(entry);
  }
  dirty.clear();
  summary();
  const took = performance.now() - began;
  window.panelTimes ??= [];
  window.panelTimes.push(took);
  if (window.panelTimes.length > 500) window.panelTimes.shift();
});

function summary() {
  const n = { all: 0, bot: 0, waiting: 0, people: 0, trouble: 0 };
  let seen = 0;
  for (const { call, el } of calls.values()) {
    if (call.ended) continue;
    n.all += 1;
    if (trouble(call)) n.trouble += 1;
    const kind = sort(call);
    if (kind !== "trouble") n[kind] += 1;
    if (!el.hidden) seen += 1;
  }
  for (const button of $$("#which button")) put($("b", button), number(n[button.dataset.which]));
  counts({ live: n.all });
  const fresh = $("#fresh");
  fresh.hidden = !waitingToShow.length;
  put(fresh, `${waitingToShow.length} new`);
  $("#none").hidden = calls.size > 0;
  $("#no-match").hidden = !(n.all && !seen);
  $(".titles").hidden = seen === 0;
}

function all(snapshot, at) {
  if (at) ahead = at * 1000 - Date.now();
  const found = list(snapshot, "calls");
  const there = new Set(found.map((call) => call.id));
  for (const id of [...calls.keys()]) if (!there.has(id)) drop(id);
  const fresh = document.createDocumentFragment();
  for (const call of [...found].sort((a, b) => b.started_at - a.started_at)) {
    const entry = calls.get(call.id);
    if (entry) entry.call = newCall(call);
    else fresh.append(add(call).el);
    dirty.add(call.id);
  }
  for (const id of dirty) patch(calls.get(id)); // before they are in the page: one layout for all
  rows.prepend(fresh);
  for (const entry of calls.values()) tickOne(entry);
  flush();
  performance.mark("rows");
}

// While somebody points into the list or goes through it by keys, no row moves: new calls and ended ones wait.
// A hand that rests lets them go on: a pointer left in the list must not keep the day's calls from it.
const RESTS_MS = 10000;
let held = false;
let resting = 0;
const waitingToShow = [];
const waitingToGo = new Set();

function hold(on) {
  clearTimeout(resting);
  held = on;
  if (held) {
    resting = setTimeout(hold, RESTS_MS, false);
    return;
  }
  for (const entry of waitingToShow.splice(0)) if (calls.get(entry.call.id) === entry) rows.prepend(entry.el);
  for (const id of waitingToGo) leave(id);
  flush();
}

function enter(entry) {
  if (held) waitingToShow.push(entry);
  else rows.prepend(entry.el);
}

function leave(id) {
  if (held || calls.get(id)?.el === document.activeElement) waitingToGo.add(id);
  else drop(id);
  flush();
}

// What is above may grow by a line: the list slips from under the pointer for a moment, which is no leaving.
const LEFT_MS = 200;
let leaving = 0;

rows.addEventListener("pointerenter", (event) => {
  clearTimeout(leaving);
  if (event.pointerType === "mouse") hold(true);
});
rows.addEventListener("pointermove", (event) => {
  if (event.pointerType === "mouse" && (event.movementX || event.movementY)) hold(true);
});
rows.addEventListener("pointerleave", () => {
  leaving = setTimeout(() => hold(rows.contains(document.activeElement)), LEFT_MS);
});
rows.addEventListener("focusin", () => hold(true));
rows.addEventListener("focusout", (event) => hold(rows.contains(event.relatedTarget) || rows.matches(":hover")));

function drop(id) {
  const entry = calls.get(id);
  if (!entry) return;
  calls.delete(id);
  waitingToGo.delete(id);
  inSight.delete(entry);
  sight.unobserve(entry.el);
  entry.el.remove();
}

watch(["call"], "", (name, data, id) => {
  if (name === "snapshot") {
    all(data, data.at);
    return;
  }
  const kind = name.slice("call.".length);
  if (kind === "began") {
    drop(id);
    enter(add(data.call));
  } else {
    const entry = calls.get(id);
    if (!entry) return;
    apply(entry.call, kind, data);
    if (kind === "ended") setTimeout(() => leave(id), GONE_MS);
  }
  dirty.add(id);
  flush();
});

setInterval(() => {
  if (!document.hidden && document.body.dataset.line === "live") for (const entry of inSight) tickOne(entry);
}, 1000);

function everything() {
  for (const id of calls.keys()) dirty.add(id);
  flush();
}

$("#which").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  which = button.dataset.which;
  for (const other of $$("#which button")) other.setAttribute("aria-pressed", other === button);
  everything();
});
$("#filter").addEventListener("input", (event) => {
  words = event.target.value.trim().toLowerCase();
  everything();
});
$("#clear").addEventListener("click", () => {
  $("#filter").value = words = "";
  $("#which button").click();
  everything();
});
