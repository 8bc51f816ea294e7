// Who waits, and who may take them. Drag a caller to another place or to an agent, or use the buttons.

import { $, $$, clock, framed, h, icon, keyed, list, may, put } from "./dom.js";
import { ask, attempt, paths, post } from "./api.js";
import { counts, roles } from "./shell.js";
import { watch } from "./stream.js";

const STATES = {
  signed_out: ["signed out", ""], paused: ["paused", "warn"], ready: ["ready", "good"], ringing: ["ringing", "bot"],
  talking: ["talking", "person"], wrap_up: ["wrapping up", "warn"], away: ["telephone away", "bad"],
};
const queues = new Map();
const agents = new Map();
let ahead = 0;
let words = "";
let dragged = "";

const now = () => (Date.now() + ahead) / 1000;
const fits = (...texts) => !words || texts.flat().join(" ").toLowerCase().includes(words);

const show = framed(() => {
  keyed($("#queues"), [...queues.values()], (queue) => queue.name, makeQueue, patchQueue);
  keyed($("#agents"), [...agents.values()].filter((agent) => fits(agent.name, agent.title, Object.keys(agent.skills ?? {}))), (agent) => agent.name, makeAgent, patchAgent);
  const ready = [...agents.values()].filter((agent) => agent.state === "ready").length;
  put($("#agents-note"), `${ready} ready of ${agents.size}`);
  counts({ waiting: [...queues.values()].reduce((sum, queue) => sum + queue.waiting.length, 0) });
  tick();
});

function makeQueue(queue) {
  return h("section", { class: "panel", "aria-label": `Queue ${queue.name}` },
    h("header", {}, h("h2", {}, queue.name), h("span", { class: "chip", "data-n": true }), h("span", { class: "note", "data-note": true })),
    h("div", { class: "waiting", "data-waiting": true }),
    h("div", { class: "empty", "data-none": true }, h("p", { class: "note" }, "Nobody waits.")));
}

function minutes(ms) {
  return ms === null || ms === undefined ? "unknown" : ms < 60000 ? "under a minute" : `about ${Math.round(ms / 60000)} min`;
}

function patchQueue(el, queue) {
  const n = queue.waiting.length;
  put($("[data-n]", el), n ? `${n} waiting` : "empty");
  $("[data-n]", el).className = `chip ${n > 4 ? "warn" : n ? "bot" : ""}`;
  put($("[data-note]", el), `expected wait ${minutes(queue.expected_wait_ms)} · answered ${queue.answered} · gave up ${queue.abandoned} · called back ${queue.called_back}`);
  $("[data-none]", el).hidden = n > 0;
  keyed($("[data-waiting]", el), queue.waiting.filter((one) => fits(one.caller, one.summary, one.skills)), (one) => one.call_id, makeWaiter, (row, one) => patchWaiter(row, one, queue));
}

function makeWaiter(one) {
  const act = (name, label, what, danger) => h("button", { class: `button small icon-only quiet${danger ? " danger" : ""}`, type: "button", "data-waiter-act": what, "data-needs": "supervisor", "aria-label": label, title: label }, icon(name));
  const row = h("div", { class: "waiter", draggable: may("supervisor") ? "true" : null, "data-call": one.call_id, "data-item": true, tabindex: "-1" },
    h("span", { class: "place-number" }), h("span", { class: "two" }, h("b", {}), h("small", {})), h("span", { class: "summary" }),
    h("span", { class: "since", "data-since": true }),
    h("span", { class: "row" }, act("up", "One place forward", "up"), act("down", "One place back", "down"), act("headset", "Give to an agent", "give"), act("kick", "Drop from the queue", "drop", true)));
  row.addEventListener("dragstart", (event) => {
    dragged = one.call_id;
    event.dataTransfer.setData("text/plain", one.call_id);
    event.dataTransfer.effectAllowed = "move";
    row.classList.add("dragging");
  });
  row.addEventListener("dragend", () => { dragged = ""; row.classList.remove("dragging"); });
  target(row, (id) => { if (id !== one.call_id) move(id, Number($(".place-number", row).textContent)); });
  roles(row);
  return row;
}

function patchWaiter(row, one, queue) {
  put($(".place-number", row), one.position);
  put($(".two b", row), one.caller || "withheld");
  put($(".two small", row), [one.call_back && "call-back", one.priority ? `priority ${one.priority}` : "", ...(one.skills ?? []), one.wanted && `for ${one.wanted}`, one.state === "offered" && `ringing ${one.agent}`].filter(Boolean).join(" · "));
  put($(".summary", row), one.summary);
  row.dataset.queue = queue.name;
  if (may("supervisor")) {
    $('[data-waiter-act="up"]', row).disabled = one.position <= 1;
    $('[data-waiter-act="down"]', row).disabled = one.position >= queue.waiting.length;
  }
  row.dataset.sinceAt = one.since_at ?? now() - one.waited_ms / 1000;
}

function makeAgent(agent) {
  const row = h("div", { class: "agent", "data-agent": agent.name },
    h("span", { class: "avatar", "aria-hidden": "true" }, (agent.title || agent.name).slice(0, 2).toUpperCase()),
    h("span", { class: "two" }, h("b", {}), h("small", {})),
    h("span", { class: "row" }, h("span", { class: "chip" }), h("span", { class: "note", "data-agent-since": true })),
    h("span", { class: "buttons" }));
  target(row, (id) => give(id, agent.name));
  return row;
}

function patchAgent(row, agent) {
  const [word, tone] = STATES[agent.state] ?? [agent.state, ""];
  put($(".two b", row), agent.title || agent.name);
  put($(".two small", row), [agent.reason, Object.keys(agent.skills ?? {}).join(", "), (agent.queues ?? []).join(", ")].filter(Boolean).join(" · "));
  const chip = $(".chip", row);
  put(chip, word);
  chip.className = `chip ${tone}`;
  row.dataset.sinceAt = agent.since_at ?? "";
  const wanted = { signed_out: ["sign-in"], paused: ["unpause", "sign-out"], away: ["sign-out"] }[agent.state] ?? ["pause", "sign-out"];
  const box = $(".buttons", row);
  if (box.dataset.key !== wanted.join()) {
    box.dataset.key = wanted.join();
    const label = { "sign-in": "Sign in", "sign-out": "Sign out", pause: "Pause", unpause: "Go on" };
    box.replaceChildren(...wanted.map((what) => h("button", { class: "button small", type: "button", "data-agent-act": what, "data-needs": "supervisor" }, label[what])));
    roles(box);
  }
}

function target(element, dropped) {
  element.addEventListener("dragover", (event) => {
    if (!dragged) return;
    event.preventDefault();
    element.classList.add("over");
  });
  element.addEventListener("dragleave", () => element.classList.remove("over"));
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    element.classList.remove("over");
    if (dragged) dropped(dragged);
  });
}

function told(text) {
  $("#spoken").textContent = text;
}

async function move(id, position) {
  if (position >= 1 && await attempt(() => post(paths.queueCall(id, "move"), { position }))) told(`Moved to place ${position}`);
}

async function give(id, agent) {
  await attempt(() => post(paths.queueCall(id, "give"), { agent }), `${agents.get(agent)?.title || agent} is rung`);
}

document.addEventListener("click", async (event) => {
  const waiter = event.target.closest("[data-waiter-act]");
  if (waiter) {
    const row = waiter.closest(".waiter");
    const id = row.dataset.call;
    const place = Number($(".place-number", row).textContent);
    const who = $(".two b", row).textContent;
    if (waiter.dataset.waiterAct === "up") await move(id, place - 1);
    else if (waiter.dataset.waiterAct === "down") await move(id, place + 1);
    else if (waiter.dataset.waiterAct === "drop") {
      if (await ask({ title: `Drop ${who} from the queue?`, text: "They go on as if nobody had had time.", yes: "Drop", danger: true })) await attempt(() => post(paths.queueCall(id, "drop")));
    } else {
      const free = [...agents.values()].filter((agent) => agent.state !== "signed_out");
      const answer = await ask({ title: `Give ${who} to an agent`, text: free.length ? "They are rung at once." : "Nobody is signed in.", yes: "Give", choice: { label: "Agent", options: free.map((agent) => [agent.name, `${agent.title || agent.name} (${(STATES[agent.state] ?? [agent.state])[0]})`]) } });
      if (answer?.choice) await give(id, answer.choice);
    }
  }
  const button = event.target.closest("[data-agent-act]");
  if (button) {
    const name = button.closest("[data-agent]").dataset.agent;
    const what = button.dataset.agentAct;
    let body = {};
    if (what === "pause") {
      const answer = await ask({ title: "Pause", text: "No caller is given while paused.", yes: "Pause", field: { label: "Why", placeholder: "lunch", optional: true } });
      if (!answer) return;
      body = { reason: answer.value };
    }
    await attempt(() => post(paths.agent(name, what), body));
  }
});

function tick() {
  if (document.body.dataset.line === "away") return;
  for (const row of $$(".waiter")) put($("[data-since]", row), clock((now() - Number(row.dataset.sinceAt)) * 1000));
  for (const row of $$(".agent")) if (row.dataset.sinceAt) put($("[data-agent-since]", row), clock((now() - Number(row.dataset.sinceAt)) * 1000));
}

watch(["queue", "agent"], "", (name, data, id) => {
  if (name === "snapshot") {
    if (data.at) ahead = data.at * 1000 - Date.now();
    queues.clear();
    agents.clear();
    for (const queue of list(data, "queues")) queues.set(queue.name, queue);
    for (const agent of list(data, "agents")) agents.set(agent.name, agent);
  } else if (name.startsWith("queue.") && data.view) queues.set(id, data.view);
  else if (name.startsWith("agent.") && data.view) agents.set(id, data.view);
  show();
});
setInterval(tick, 1000);
$("#filter").addEventListener("input", (event) => {
  words = event.target.value.trim().toLowerCase();
  show();
});
