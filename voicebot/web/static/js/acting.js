// What a supervisor can do to a live call: each act with its question, where it needs one.

import { $, h, list, once } from "./dom.js";
import { ask, attempt, get, paths, post, remove, toast } from "./api.js";
import { who } from "./livecall.js";

const MODES = [["listen", "listen"], ["whisper", "whisper: only the agent hears"], ["barge", "barge in: both hear"], ["take_over", "take over"]];
let id = "";
let call = () => null;
let listening = null;
let speaking = null;
let visit = null; // ours by telephone
let transfer = ""; // to whom an attended one is on its way

const telephone = () => {
  try {
    return localStorage.getItem("telephone") ?? "";
  } catch {
    return "";
  }
};

async function microphone(mode) {
  if (!listening.on) listening.start();
  speaking.start(mode);
}

const acts = {
  hold() {
    const held = call().held;
    return attempt(() => post(paths.act(id, held ? "release" : "hold")), held ? "The bot goes on" : "The bot waits");
  },

  async jump() {
    let steps = [];
    if (!await attempt(async () => { steps = list(await get(paths.act(id, "may")), "steps"); })) return;
    if (!steps.length) {
      toast("No step can be jumped to", "the bot must be in the call", "bad");
      return;
    }
    const options = steps.map((step) => [step.name, step.label ? `${step.name} – ${step.label}` : step.name]);
    const answer = await ask({ title: "Jump to a step", text: "The bot leaves what it does and goes on there.", yes: "Jump", choice: { label: "Step", options, value: call().step } });
    if (answer) await attempt(() => post(paths.act(id, "jump"), { step: answer.choice }), `Now at ${answer.choice}`);
  },

  async barge() {
    const agent = call().state === "with_person";
    const text = agent ? "Choose who hears you. Headphones keep echoes away." : "The caller hears you, the bot holds. Headphones keep echoes away.";
    const answer = await ask({ title: "Speak in this call", text, yes: "Speak", choice: agent ? { label: "Who hears you", options: [["whisper", "only the agent"], ["barge", "both"]] } : null });
    if (answer) await microphone(agent ? answer.choice : "barge");
  },

  async take() {
    if (await takesOver("by this computer's microphone")) await microphone("take_over");
  },

  async phone() {
    const answer = await ask({
      title: "By telephone", text: "Your telephone rings; answer it to be in the call.", yes: "Ring",
      field: { label: "Your telephone", value: telephone(), placeholder: "as in [supervision.phones]", optional: true },
      choice: { label: "How", options: MODES },
    });
    if (!answer) return;
    await attempt(async () => { visit = await post(paths.act(id, "visits"), { mode: answer.choice, channel: answer.value || null }); });
    visiting();
  },

  async transfer() {
    const person = call().state === "with_person";
    const answer = await ask({
      title: "Transfer this call", text: person ? "The agent gives the caller on." : "The bot leaves the call.", yes: "Transfer", danger: true,
      field: { label: "To an extension, or queue:NAME, agent:NAME, conference:NAME", placeholder: "100" },
      choice: { label: "How", options: [["blind", "at once"], ["attended", "after talking to them"]] },
    });
    if (!answer) return;
    const wanted = { to: answer.value, kind: answer.choice };
    const path = person ? paths.queueCall(id, "transfer") : paths.act(id, "transfer");
    if (await attempt(() => post(path, wanted), answer.choice === "blind" ? `Transferred to ${answer.value}` : `${answer.value} is asked`) && person && answer.choice === "attended") {
      transfer = answer.value;
      transferring();
    }
  },

  async record() {
    if ((call().recording ?? "off") === "off") await attempt(() => post(paths.act(id, "recording"), { action: "start" }), "Recording");
    else if (await ask({ title: "Stop the recording?", text: "What was recorded is kept.", yes: "Stop" })) await attempt(() => post(paths.act(id, "recording"), { action: "stop" }), "Recording has stopped");
  },

  "pause-recording": () => attempt(() => post(paths.act(id, "recording"), { action: call().recording === "paused" ? "resume" : "pause" })),

  async end() {
    if (await ask({ title: "End this call?", text: `The line to ${who(call())} is cut at once.`, yes: "End call", danger: true })) await attempt(() => post(paths.act(id, "end")), "Ended");
  },
};

function takesOver(by) {
  return ask({ title: "Take over this call?", text: `The bot leaves, and you talk to the caller ${by}. It does not come back.`, yes: "Take over", danger: true });
}

async function correct(slot) {
  const answer = await ask({ title: `Correct ${slot}`, text: "The bot goes on as if the caller had said so.", yes: "Correct", field: { label: slot, value: String(call().slots[slot] ?? "") } });
  if (answer) await attempt(() => post(paths.act(id, "correct"), { slot, value: answer.value }), `${slot} is now ${answer.value}`);
}

/** Show our own telephone in the call, with what it can become. */
function visiting() {
  const bar = $("#visiting");
  bar.hidden = !visit;
  if (!visit) return;
  bar.replaceChildren(h("span", {}, `${visit.channel} ${visit.state === "ringing" ? "rings" : "is in the call"}`), h("span", { class: "segmented" }, ...MODES.map(([mode, label]) =>
    h("button", { type: "button", "data-visit": mode, "aria-pressed": String(visit.mode === mode) }, label.split(":")[0]))), h("button", { class: "button small", type: "button", "data-visit": "" }, "Leave"));
}

async function change(mode) {
  const { id } = visit;
  if (mode === "take_over" && call().state === "talking" && !await takesOver("by telephone")) return;
  if (mode) await attempt(async () => {
    const now = await post(paths.visit(id), { mode });
    if (visit?.id === id) visit = { ...visit, ...now }; // else it has ended meanwhile
  });
  else if (await attempt(() => remove(paths.visit(id)))) visit = null;
  visiting();
}

/** Somebody's telephone was not reached, or had to leave; tell whose it is. */
export function visitFailed({ visit: failed, what, remedy }) {
  if (visit?.id !== failed) return;
  visit = null;
  visiting();
  toast(what, remedy, "bad");
}

/** An attended transfer on its way: put through, go back, or change between the two. */
function transferring() {
  const bar = $("#transferring");
  bar.hidden = !transfer;
  bar.replaceChildren(h("span", {}, `Transfer to ${transfer}`), ...[["complete", "Put through"], ["swap", "Swap"], ["cancel", "Back"]].map(([what, label]) => h("button", { class: "button small", type: "button", "data-transfer": what }, label)));
}

/** Bring what stands here into line with the call as it is now. */
export function follow(now) {
  if (visit) {
    const here = now.supervisors?.includes(document.body.dataset.user);
    const before = visit;
    if (now.ended || (visit.seen && !here)) visit = null;
    else if (here && !visit.seen) visit = { ...visit, seen: true, state: "on_line" };
    if (visit !== before) visiting();
  }
  if (transfer && (now.ended || now.state !== "with_person")) {
    transfer = "";
    transferring();
  }
}

/** Of an attended transfer. */
async function lead(what) {
  if (await attempt(() => post(paths.queueCall(id, what))) && what !== "swap") {
    transfer = "";
    transferring();
  }
}

async function say(input) {
  const text = input.value.trim();
  if (text && await attempt(() => post(paths.act(id, "say"), { text }))) input.value = "";
}

/** Let the page's buttons act. `of.call()` gives the call as it is now; `of.known`: a promise that it is known. */
export function acting(of) {
  ({ id, call, listening, speaking } = of);
  const does = Object.fromEntries(Object.entries(acts).map(([name, act]) => [name, once(act)]));
  const kinds = Object.entries({ act: (name) => does[name](), correct: once(correct), visit: once(change), transfer: once(lead) });
  document.addEventListener("click", async ({ target }) => {
    await of.known; // who is quicker than the news is not ignored
    for (const [kind, work] of kinds) {
      const button = target.closest(`[data-${kind}]`);
      if (button) work(button.dataset[kind]);
    }
  });
  const send = once(say);
  $("#say").addEventListener("submit", (event) => {
    event.preventDefault();
    send(event.target.text);
  });
}
