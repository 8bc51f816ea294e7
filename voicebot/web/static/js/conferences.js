// Rooms: who is in them, who talks, and what a supervisor can do.

import { $, $$, attribute, clock, framed, h, icon, keyed, list, put, wave } from "./dom.js";
import { ask, attempt, get, paths, post, remove, toast } from "./api.js";
import { roles } from "./shell.js";
import { watch } from "./stream.js";

const rooms = new Map();
let ahead = 0;

const show = framed(() => {
  keyed($("#rooms"), [...rooms.values()], (room) => room.name, makeRoom, patchRoom);
  $("#none").hidden = rooms.size > 0;
  tick();
});

function button(name, label, what, props = {}) {
  return h("button", { class: "button small", type: "button", "data-room-act": what, "data-needs": "supervisor", ...props }, icon(name), h("span", {}, label));
}

function makeRoom(room) {
  const el = h("section", { class: "panel", "data-room": room.name, "aria-label": `Room ${room.name}` },
    h("header", {}, h("h2", {}, room.title || room.name), h("span", { class: "row wrap", "data-chips": true })),
    h("div", { "data-people": true }),
    h("p", { class: "body note", "data-empty": true }, "Nobody is in it."),
    h("div", { class: "body buttons" }, button("plus", "Invite", "invite"), button("mic-off", "Mute all", "mute-all"), button("lock", "Lock", "lock"),
      button("say", "Announce", "announce"), button("record", "Record", "record"), button("bot", "Add bot", "bot"), button("end", "End", "end", { class: "button small danger" })));
  roles(el);
  return el;
}

function patchRoom(el, room) {
  const people = room.participants ?? [];
  const bot = people.some((one) => one.bot);
  const chips = [[`${people.length} in it`, ""], room.video && ["video", "bot"], room.locked && ["locked", "warn"], room.recording && ["recording", "bad rec"], room.muted_rule !== "nobody" && [`muted: ${room.muted_rule}`, ""], room.waiting && ["waits for a host", "warn"], ...(room.invitations ?? []).map((one) => [`${one.who} rings`, "bot"])].filter(Boolean);
  const box = $("[data-chips]", el);
  if (box.dataset.key !== JSON.stringify(chips)) {
    box.dataset.key = JSON.stringify(chips);
    box.replaceChildren(...chips.map(([word, tone]) => h("span", { class: `chip ${tone}` }, tone.includes("rec") && h("i"), word)));
  }
  $("[data-empty]", el).hidden = people.length > 0;
  put($('[data-room-act="lock"] span', el), room.locked ? "Unlock" : "Lock");
  put($('[data-room-act="record"] span', el), room.recording ? "Stop recording" : "Record");
  put($('[data-room-act="bot"] span', el), bot ? "Remove bot" : "Add bot");
  keyed($("[data-people]", el), people, (one) => one.id, makePerson, patchPerson);
}

function makePerson(one) {
  const el = h("div", { class: "participant", "data-participant": one.id }, wave(), h("span", {}, h("b", {}), h("small", {})),
    h("span", { class: "row" }, h("span", { class: "note", "data-since": true }),
      h("button", { class: "button small icon-only quiet", type: "button", "data-person-act": "mute", "data-needs": "supervisor" }, icon("mic")),
      h("button", { class: "button small icon-only quiet danger", type: "button", "data-person-act": "kick", "data-needs": "supervisor", "aria-label": `Remove ${one.name || one.number}`, title: "Remove from the room" }, icon("kick"))));
  roles(el);
  return el;
}

function patchPerson(el, one) {
  attribute($(".wave", el), "data-floor", one.talking && !one.muted ? (one.bot ? "bot" : "caller") : "nobody");
  put($("b", el), one.name || one.number || "withheld");
  put($("small", el), [one.host && "host", one.bot && "bot", one.hand && "raises a hand", one.video && "video", one.muted && "muted", one.name && one.number].filter(Boolean).join(" · "));
  const mute = $('[data-person-act="mute"]', el);
  attribute(mute, "aria-pressed", one.muted);
  attribute(mute, "aria-label", `${one.muted ? "Unmute" : "Mute"} ${one.name || one.number}`);
  if (!mute.disabled) mute.title = one.muted ? "Unmute" : "Mute";
  attribute($("use", mute), "href", `/static/icons.svg#${one.muted ? "mic-off" : "mic"}`);
  el.dataset.sinceAt = one.since_at ?? "";
}

const acts = {
  async invite(room) {
    const answer = await ask({ title: "Invite", text: "They are rung, and are in the room when they answer.", yes: "Ring", field: { label: "Telephone or number", placeholder: "PJSIP/100" } });
    if (answer) await attempt(() => post(paths.room(room.name, "invite"), { to: answer.value }), `${answer.value} rings`);
  },
  "mute-all": (room) => attempt(() => post(paths.room(room.name, "mute-all")), "All but hosts are muted"),
  lock: (room) => attempt(() => post(paths.room(room.name, room.locked ? "unlock" : "lock"))),
  async announce(room) {
    const answer = await ask({ title: "Announce", text: "All in the room hear it.", yes: "Announce", field: { label: "What is said", placeholder: "Five minutes are left." } });
    if (answer) await attempt(() => post(paths.room(room.name, "announce"), { text: answer.value }), "It is announced");
  },
  record: (room) => attempt(() => post(paths.room(room.name, "record"), { on: !room.recording })),
  async bot(room) {
    if (room.participants.some((one) => one.bot)) return attempt(() => remove(paths.room(room.name, "bot")));
    let dialogs = [];
    if (!await attempt(async () => { dialogs = list(await get(paths.dialogs()), "dialogs").map((dialog) => dialog.name); })) return;
    const answer = await ask({ title: "Let the bot sit in", yes: "Add", choice: { label: "Dialog", options: dialogs } });
    if (answer) await attempt(() => post(paths.room(room.name, "bot"), { dialog: answer.choice }));
  },
  async end(room) {
    if (await ask({ title: `End ${room.title || room.name}?`, text: `All ${room.participants.length} in it are put out.`, yes: "End", danger: true })) await attempt(() => post(paths.room(room.name, "end")));
  },
};

document.addEventListener("click", async (event) => {
  const act = event.target.closest("[data-room-act]");
  if (act) await acts[act.dataset.roomAct](rooms.get(act.closest("[data-room]").dataset.room));
  const one = event.target.closest("[data-person-act]");
  if (one) {
    const room = rooms.get(one.closest("[data-room]").dataset.room);
    const person = room.participants.find((each) => String(each.id) === one.closest("[data-participant]").dataset.participant);
    if (one.dataset.personAct === "kick" && !(await ask({ title: `Remove ${person.name || person.number}?`, text: "They are put out of the room.", yes: "Remove", danger: true }))) return;
    const what = one.dataset.personAct === "mute" && person.muted ? "unmute" : one.dataset.personAct;
    await attempt(() => post(paths.participant(room.name, person.id, what)));
  }
});

function tick() {
  if (document.body.dataset.line === "away") return;
  for (const row of $$(".participant")) if (row.dataset.sinceAt) put($("[data-since]", row), clock(Date.now() + ahead - Number(row.dataset.sinceAt) * 1000));
}

watch(["conference"], "", (name, data, id) => {
  if (name === "snapshot") {
    if (data.at) ahead = data.at * 1000 - Date.now();
    rooms.clear();
    for (const room of list(data, "rooms")) rooms.set(room.name, room);
  } else if (name === "conference.changed") rooms.set(id, data.room);
  else if (name === "conference.not_reached") toast(`${data.who}: ${data.what}`, data.remedy, "bad");
  else if (name === "conference.talking") {
    const person = rooms.get(id)?.participants?.find((one) => String(one.id) === String(data.participant));
    if (person) person.talking = data.talking;
  } // after `conference.ended` the room changes once more: it is empty
  show();
});
setInterval(tick, 1000);
