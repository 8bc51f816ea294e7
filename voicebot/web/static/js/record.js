// A past call: waveform and transcript in step. A turn is lit while it sounds; a click on it plays from there.

import WaveSurfer from "../vendor/wavesurfer.esm.js";
import { $, clock, colour, h, latency, put, when } from "./dom.js";
import { get, paths } from "./api.js";
import { did, Turns } from "./turns.js";

const id = $("#record").dataset.call;
let record = null;
let sound = null;
let lit = null;

const turns = new Turns($("#talk"), { follow: false, seek: (turn) => { if (sound && turn.start_ms != null) { sound.setTime(turn.start_ms / 1000); sound.play(); } } });

function rows(box, pairs) {
  box.replaceChildren(...pairs.filter(([, value]) => value !== "" && value !== null && value !== undefined).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, typeof value === "object" && !(value instanceof Node) ? JSON.stringify(value) : value)]));
}

function show() {
  const who = [record.caller?.name, record.caller?.number].filter(Boolean).join(" · ") || (record.direction === "browser" ? "Browser" : "withheld");
  document.title = `${who} · voicebot`;
  put($("#who"), who);
  $("#chips").replaceChildren(...[[record.outcome, record.goal ? "good" : record.outcome === "error" ? "bad" : ""], [record.goal && "goal reached", "good"], [record.direction === "outbound" && (record.outbound?.campaign ? `campaign ${record.outbound.campaign}` : "called by us"), ""]].filter(([word]) => word).map(([word, tone]) => h("span", { class: `chip ${tone}` }, word)));
  const late = record.turns.map((turn) => turn.latency_ms).filter((ms) => ms != null).sort((a, b) => a - b);
  rows($("#facts"), [
    ["Began", when(record.started_at)], ["Length", clock(record.duration_ms)], ["Called", record.called?.number], ["Dialog", record.dialog?.name && h("a", { href: `/dialogs/${encodeURIComponent(record.dialog.name)}` }, record.dialog.name)],
    ["Language", record.dialog?.language], ["Ended by", record.ended_by], ["Hangup", record.hangup_cause_text], ["Reply", late.length ? `median ${latency(late[Math.floor(late.length / 2)])}, longest ${latency(late.at(-1))}` : ""],
    ["Listened", record.stt], ["Spoke", record.tts], ["Codec", record.codec], ["Lost packets", record.rtp?.lost ?? record.rtp?.packets_lost], ["Id", h("span", { class: "mono" }, record.id)],
  ]);
  const slots = Object.entries(record.slots ?? {});
  rows($("#slots"), slots);
  $("#no-slots").hidden = slots.length > 0;
  if (record.faults?.length) {
    $("#faults-panel").hidden = false;
    $("#faults").replaceChildren(...record.faults.map((fault) => h("p", { class: "problem bad" }, typeof fault === "string" ? fault : fault.what ?? JSON.stringify(fault))));
  }
  if (record.work?.length) {
    $("#work-panel").hidden = false;
    rows($("#work"), record.work.map((one) => [one.kind, `${one.name} ${one.error || one.status || ""} ${one.end_ms != null && one.start_ms != null ? `(${latency(one.end_ms - one.start_ms)})` : ""}`]));
  }
  turns.show(record.turns);
  for (const one of record.interventions ?? []) turns.lineAt(one.at_ms, did(one));
  if (record.recording) wave();
  else put($("#sound-note"), "not recorded");
}

function colours() {
  return ["--caller", "--bot"].map((name) => ({ waveColor: `color-mix(in srgb, ${colour(name)} 45%, transparent)`, progressColor: colour(name), height: 44 }));
}

async function wave() {
  $("#sound").hidden = false;
  // the gateway knows the shape of the sound: nothing need be decoded, and an hour's call opens at once
  const shape = await get(paths.peaks(id)).catch(() => null);
  sound = WaveSurfer.create({
    container: "#waveform", url: paths.recording(id), ...(shape && { peaks: [shape.caller, shape.bot].map((side) => side.map((value) => value / 100)), duration: shape.duration_s }), splitChannels: colours(), cursorColor: colour("--ink"), cursorWidth: 1,
    barWidth: 2, barGap: 1, barRadius: 2, normalize: true, dragToSeek: true,
  });
  window.panelSound = sound;
  const play = $("#play");
  const told = () => {
    const playing = sound.isPlaying();
    play.setAttribute("aria-label", playing ? "Pause" : "Play");
    play.querySelector("use").setAttribute("href", `/static/icons.svg#${playing ? "pause" : "play"}`);
  };
  play.addEventListener("click", () => sound.playPause());
  sound.on("play", told);
  sound.on("pause", told);
  sound.on("ready", () => at(0));
  sound.on("timeupdate", at);
  sound.on("error", () => put($("#sound-note"), "the recording cannot be played"));
  $("#speed").addEventListener("change", (event) => sound.setPlaybackRate(Number(event.target.value), true));
  document.addEventListener("theme", () => sound.setOptions({ splitChannels: colours(), cursorColor: colour("--ink") }));
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || event.target.closest("input, select, textarea, button, [role=button], dialog")) return;
    event.preventDefault();
    sound.playPause();
  });
}

/** Light the turn that sounds at this second. */
function at(seconds) {
  put($("#at"), `${clock(seconds * 1000)} / ${clock((sound.getDuration() || 0) * 1000)}`);
  const ms = seconds * 1000;
  let now = null;
  record.turns.forEach((turn, number) => {
    if (turn.start_ms != null && turn.start_ms <= ms && ms < (turn.end_ms ?? turn.start_ms) + 250) now = number;
  });
  if (now === lit) return;
  turns.elements[lit]?.el.classList.remove("now");
  lit = now;
  const el = turns.elements[now]?.el;
  el?.classList.add("now");
  if (el && sound.isPlaying()) el.scrollIntoView({ block: "nearest" });
}

get(paths.record(id)).then((answer) => {
  record = answer.record ?? answer;
  show();
}, (error) => {
  put($("#who"), "This call is not in the history");
  put($("#sound-note"), error.problems?.[0]?.remedy ?? error.message);
});
