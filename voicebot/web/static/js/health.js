// How the installation is: parts with what to do, stuck channels, telephones, trunks.

import { $, clock, framed, h, icon, latency, list, number, put } from "./dom.js";
import { ask, attempt, get, inOrder, paths, post } from "./api.js";
import { roles } from "./shell.js";
import { line, watch } from "./stream.js";

const LOOK_MS = 5000;
const PBX_MS = 1000;
/** What of Asterisk's stands here: its channels come and go with every call. */
const SHOWN = ["endpoints", "endpoints_gone", "registrations"];
const TONES = { ok: "good", degraded: "warn", down: "bad" };
const PICTURES = { good: "check", warn: "warn", bad: "bad" };
const REMEDIES = [
  [/^asterisk|^ari/, "Is Asterisk up? `voicebot doctor` checks user, password, address and modules."],
  [/^ami/, "Check ami_user of [supervision] in voicebot.toml and manager.conf; `voicebot doctor` tells which."],
  [/^stt|^tts|engine/, "Workers are replaced by themselves. If it stays: see the log, and memory."],
  [/^trunk/, "See `pjsip show registrations`; is the provider up, are name and password right?"],
  [/^disk/, "Make room, or lower how long recordings are kept. Calls go on; recording stops first."],
  [/^database|^store/, "Live calls go on. Is the database up? `voicebot doctor` tries it."],
  [/loop/, "The machine is busy: fewer calls, or one more core."],
];
let pbx = null;

function remedy(name) {
  return REMEDIES.find(([pattern]) => pattern.test(name.toLowerCase()))?.[1] ?? "";
}

function figure(value, word) {
  return h("div", {}, h("b", {}, value), h("span", {}, word));
}

const UNITS = { s: (value) => clock(value * 1000), ms: latency, mb: (value) => (value < 1000 ? `${number(value)} MB` : `${number(Math.round(value / 100) / 10)} GB`) };

/** {connected_s: 75} → "connected 1:15". */
function figures(of) {
  return Object.entries(of ?? {}).slice(0, 6).map(([name, value]) => {
    const words = name.split("_");
    const unit = typeof value === "number" && UNITS[words.at(-1)];
    if (unit) words.pop();
    return `${words.join(" ")} ${unit ? unit(value) : typeof value === "number" ? number(Math.round(value * 10) / 10) : value}`;
  }).join(" · ");
}

function show(health) {
  const parts = list(health, "parts");
  const worst = parts.some((part) => part.state === "down") ? "down" : parts.some((part) => part.state === "degraded") ? "degraded" : "ok";
  const ready = health.ready ?? worst !== "down";
  put($("#state"), !ready ? `takes no calls: ${health.why_not || "see below"}` : worst === "ok" ? "all is well" : "takes calls, with trouble");
  $("#state").className = `chip ${ready ? TONES[worst] : "bad"}`;
  $("#figures").replaceChildren(figure(`${number(health.calls)}${health.capacity ? ` / ${number(health.capacity)}` : ""}`, "live calls, room for"), figure(latency(health.lag_ms ?? 0) || "0 ms", "event loop is late by"), figure(`${parts.filter((part) => part.state === "ok").length} / ${parts.length}`, "parts in order"), figure(pbx?.version ? String(pbx.version).replace(/^Asterisk\s*/, "") : "–", "Asterisk"));
  for (const name of health.dialogs ?? []) parts.push({ name, state: "degraded", why: "the dialog's file as it is now was refused: calls have the version before", remedy: "Its page tells what is wrong." });
  $("#parts").replaceChildren(...parts.map((part) => {
    const tone = TONES[part.state] ?? "warn";
    return h("div", { class: `check ${tone}` }, icon(PICTURES[tone]), h("b", {}, part.name), h("span", { class: "what" }, part.why || h("span", { class: "note" }, figures(part.figures) || "in order"), part.state !== "ok" && h("span", { class: "remedy" }, part.remedy || remedy(part.name))), h("span", { class: `chip ${tone}` }, part.state));
  }));
}

const showPbx = framed(() => {
  const stuck = pbx?.warnings ?? [];
  $("#stuck-panel").hidden = !stuck.length;
  $("#stuck").replaceChildren(...stuck.map((one) => h("tr", {}, h("td", { class: "mono" }, one.channel), h("td", {}, one.why), h("td", { class: "num" }, clock(one.age_ms)), h("td", { class: "num" }, h("button", { class: "button small danger", type: "button", "data-hang-up": one.channel, "data-needs": "supervisor" }, "Hang up")))));
  const endpoints = pbx?.endpoints ?? [];
  $("#endpoints").replaceChildren(...endpoints.map((one) => {
    const up = /online|not_inuse|inuse|reachable|avail/i.test(one.state ?? "") && !/unavail|unreach|offline/i.test(one.state ?? "");
    const contacts = Array.isArray(one.contacts) ? one.contacts.map((each) => each.uri ?? each.address ?? each).join(", ") : one.contacts;
    return h("tr", {}, h("td", {}, one.name), h("td", {}, h("span", { class: `chip ${up ? "good" : ""}` }, String(one.state ?? "unknown").toLowerCase().replaceAll("_", " "))), h("td", { class: "mono soft" }, contacts));
  }));
  put($("#endpoints-note"), endpoints.length ? `${endpoints.length}` : "");
  $("#no-endpoints").hidden = endpoints.length > 0;
  const trunks = pbx?.registrations ?? [];
  $("#trunks").replaceChildren(...trunks.map((one) => h("tr", {}, h("td", {}, one.name), h("td", {}, h("span", { class: `chip ${/^registered/i.test(one.state) ? "good" : "bad"}` }, String(one.state).toLowerCase())))));
  $("#no-trunks").hidden = trunks.length > 0;
  roles($("#stuck"));
});

const health = inOrder(() => get(paths.health()));
const asterisk = inOrder(() => get(paths.pbx()));

async function look() {
  try {
    await health((answer) => {
      show(answer);
      line("live");
    });
  } catch (error) {
    if (error.status === 0) line("away");
    else if (error.status !== 503) throw error;
  }
}

/** News of Asterisk come five times a second while there are calls: looked at once for all of them. */
let looking = 0;
function lookPbx() {
  if (looking) return;
  looking = setTimeout(async () => {
    looking = 0;
    await asterisk((answer) => { pbx = answer; }).catch(() => {}); // then what is known stays
    showPbx();
  }, PBX_MS);
}

document.addEventListener("click", async (event) => {
  const channel = event.target.closest("[data-hang-up]")?.dataset.hangUp;
  if (channel && await ask({ title: "Hang up this channel?", text: channel, yes: "Hang up", danger: true }) && await attempt(() => post(paths.hangUp(), { channel }))) lookPbx();
});
setInterval(() => { if (!document.hidden) look(); }, LOOK_MS);
watch(["health", "pbx"], "", (name, data) => {
  if (name === "snapshot") {
    pbx = data.pbx ?? null;
    showPbx();
  }
  if (name === "pbx.changed") {
    if (SHOWN.some((part) => data[part])) lookPbx();
    return;
  }
  if (name.startsWith("pbx.")) lookPbx();
  look();
});
