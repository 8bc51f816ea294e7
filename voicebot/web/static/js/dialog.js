// One dialog: its picture with the live calls on their steps, what its check says, and a chat to try it.

import { $, framed, h, list, put, when } from "./dom.js";
import { Refused, attempt, get, paths, post } from "./api.js";
import { nameOf } from "./livecall.js";
import { Picture } from "./picture.js";
import { watch } from "./stream.js";
import { Turns } from "./turns.js";

const name = $("#dialog").dataset.name;
const picture = new Picture($("#picture"));
const calls = new Map(); // all that are live: id → {dialog_file, step}
let dialogs = [];
const turns = new Turns($("#chat"));
let session = null;
let said = [];
let been = [];

const counts = framed(() => {
  const n = {};
  const here = [...calls.values()].filter((call) => nameOf(call, dialogs) === name);
  for (const { step } of here) n[step] = (n[step] ?? 0) + 1;
  picture.calls(n);
  put($("#live-note"), here.length ? `${here.length} live call${here.length > 1 ? "s" : ""}` : "no live call");
});

let seen = ""; // the version in service, and what its file was refused for
const LOOK_MS = 2500;

/** Show what is known of the dialog, and whether its file was saved since. */
async function facts() {
  if (document.hidden) return;
  try {
    const dialog = await get(paths.dialog(name));
    const now = JSON.stringify([dialog.version, dialog.problems]);
    if (now === seen) return;
    const first = !seen;
    seen = now;
    $("#chips").replaceChildren(h("span", { class: "chip mono" }, `version ${dialog.version.slice(0, 8)}`), h("span", { class: "note" }, `since ${when(dialog.since)}`));
    const found = await get(paths.check(name));
    problems(found.findings, dialog.problems);
    if (first) return;
    if (!dialog.problems.length && await picture.show(name)) counts();
    if (said.length) turns.line(dialog.problems.length ? "The file was saved, with mistakes." : "The file was saved: begin anew to talk to it as it is now.", dialog.problems.length > 0);
  } catch (error) {
    if (error instanceof Refused) problems(error.problems);
    else if (!seen) throw error; // afterwards the page says itself that the gateway is away
  }
}
setInterval(facts, LOOK_MS);

/** Show what a check found; `refused`: why calls still have an older version. */
function problems(found, refused = []) {
  put($("#check-note"), found.length ? `${found.length} found` : "");
  $("#problems").replaceChildren(
    ...(refused.length ? [h("p", { class: "note" }, "The file as it is now was refused: calls still have the version before.")] : []),
    ...(found.length ? found.map((one) => h("div", { class: `problem${one.warning ? "" : " bad"}` },
      one.what, one.line && h("small", { class: "mono" }, `line ${one.line}${one.column ? `, column ${one.column}` : ""}`), one.remedy && h("small", {}, one.remedy)))
      : [h("p", { class: "row" }, h("span", { class: "chip good" }, "in order"), h("span", { class: "note" }, "The check finds nothing."))]));
}

/** Show what the bot made of a line. */
function answered(answer) {
  session = answer.id;
  for (const turn of answer.turns) {
    const mine = said.at(-1);
    if (turn.caller !== null && mine?.who === "caller") {
      mine.understood = turn.understood?.result ?? turn.understood?.kind ?? mine.understood;
      mine.learnt = Object.entries(turn.changed).map(([slot, value]) => `${slot} = ${value || "forgotten"}`).join(", ");
    }
    if (turn.bot) said.push({ who: "bot", text: turn.bot, step: turn.path.at(-1) ?? "" });
    been.push(...turn.path);
    turns.show(said);
    if (turn.then === "wait") turns.line(`waits for ${turn.work || "some work"}`);
    if (turn.then === "handover") turns.line(`hands over to ${turn.to}`);
    if (turn.then === "end") turns.line(`the dialog ends${turn.outcome ? `: ${turn.outcome}` : ""}`);
  }
  if (answer.ended) session = null;
  picture.path(been, been.at(-1));
}

async function begin() {
  said = [];
  been = [];
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
  const keys = /^#[0-9*#]+$/.test(text) ? text.slice(1) : "";
  said.push({ who: "caller", kind: keys ? "dtmf" : "speech", text: keys || text });
  turns.show(said);
  await attempt(async () => answered(await post(paths.chat(name, session), { text: keys ? `/dtmf ${keys}` : text })));
});
$("#again").addEventListener("click", begin);

turns.line("Write what a caller would say; the bot answers as its file is now.");
facts();
picture.show(name).then(counts);
attempt(async () => { dialogs = list(await get(paths.dialogs()), "dialogs"); }).then(counts);
watch(["call"], "", (kind, data, id) => {
  if (kind === "snapshot") {
    calls.clear();
    for (const call of list(data, "calls")) calls.set(call.id, call);
  } else if (kind === "call.began") calls.set(id, data.call);
  else if (kind === "call.step" && calls.has(id)) calls.set(id, { ...calls.get(id), step: data.step });
  else if (kind === "call.ended") calls.delete(id);
  else return;
  counts();
});
