// One dialog: its picture with the live calls on their steps, what its check says, and a chat to try it.

import { $, framed, h, list, put } from "./dom.js";
import { Refused, attempt, get, paths, post } from "./api.js";
import { Picture } from "./picture.js";
import { watch } from "./stream.js";
import { Turns } from "./turns.js";

const name = $("#dialog").dataset.name;
const picture = new Picture($("#picture"));
const at = new Map(); // call → step
const turns = new Turns($("#chat"));
let session = null;
let said = [];

const counts = framed(() => {
  const n = {};
  for (const step of at.values()) n[step] = (n[step] ?? 0) + 1;
  picture.calls(n);
  put($("#live-note"), at.size ? `${at.size} live call${at.size > 1 ? "s" : ""}` : "no live call");
});

async function facts() {
  let dialog;
  try {
    const answer = await get(paths.dialog(name));
    dialog = answer.dialog && typeof answer.dialog === "object" ? answer.dialog : answer;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    problems(error.problems);
    return;
  }
  $("#chips").replaceChildren(...[dialog.language, dialog.version && `version ${String(dialog.version).slice(0, 8)}`].filter(Boolean).map((word) => h("span", { class: "chip" }, word)));
  problems([...(dialog.problems ?? []), ...(dialog.warnings ?? []).map((one) => ({ ...one, warning: true }))]);
}

function problems(found) {
  put($("#check-note"), found.length ? `${found.length} found` : "");
  $("#problems").replaceChildren(...(found.length ? found.map((one) => h("div", { class: `problem${one.warning || one.severity === "warning" ? "" : " bad"}` },
    one.what, (one.where || one.line) && h("small", { class: "mono" }, one.where || `line ${one.line}`), one.remedy && h("small", {}, one.remedy)))
    : [h("p", { class: "row" }, h("span", { class: "chip good" }, "in order"), h("span", { class: "note" }, "The check finds nothing."))]));
}

/** Show what the bot says in the chat; the shape is that of the chat's answer. */
function answered(answer) {
  session = answer.session ?? answer.id ?? session;
  for (const text of list(answer, "says").length ? list(answer, "says") : list(answer, "prompts")) said.push({ who: "bot", text: text.text ?? text, step: "" });
  if (answer.step && said.length) said.at(-1).step = answer.step;
  turns.show(said);
  if (answer.ended) {
    turns.line(`The dialog has ended${answer.outcome ? `: ${answer.outcome}` : ""}.`);
    session = null;
  }
  picture.path([...new Set(said.map((turn) => turn.step).filter(Boolean))], answer.step);
}

async function begin() {
  said = [];
  turns.clear();
  session = null;
  await attempt(async () => answered(await post(paths.chat(name), {})));
}

$("#write").addEventListener("submit", async (event) => {
  event.preventDefault();
  const input = event.target.text;
  const text = input.value.trim();
  if (!text) return;
  if (!session) await begin();
  if (!session) return;
  input.value = "";
  const keys = text.startsWith("#") && /^#[0-9*#]+$/.test(text) ? text.slice(1) : "";
  said.push({ who: "caller", kind: keys ? "dtmf" : "speech", text: keys || text });
  turns.show(said);
  await attempt(async () => answered(await post(paths.chat(name), keys ? { session, keys } : { session, text })));
});
$("#again").addEventListener("click", begin);

facts();
picture.show(name).then(counts);
watch(["call"], "", (kind, data, id) => {
  if (kind === "snapshot") {
    at.clear();
    for (const call of list(data, "calls")) if (call.dialog === name) at.set(call.id, call.step);
  } else if (kind === "call.began") {
    if (data.call.dialog === name) at.set(id, data.call.step);
  } else if (kind === "call.step") {
    if (at.has(id)) at.set(id, data.step);
  } else if (kind === "call.ended") at.delete(id);
  else return;
  counts();
});
