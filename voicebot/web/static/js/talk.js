// A call by this computer's microphone: frames up, the bot's frames down, keys, and the transcript live.

import { $, $$, attribute, clock, framed, h, list, put } from "./dom.js";
import { attempt, get, paths } from "./api.js";
import { Microphone, Player, meters } from "./audio.js";
import { apply, newCall } from "./livecall.js";
import { watch } from "./stream.js";
import { Turns } from "./turns.js";

const RATE = 16000;
const form = $("#begin");
const turns = new Turns($("#talk"));
let line = null; // {socket, microphone, player, stopWatching, stopMeters, timer}
let call = null;

async function dialogs() {
  const found = list(await get(paths.dialogs()), "dialogs").map((dialog) => dialog.name);
  const wanted = $("#talk-page").dataset.dialog;
  form.dialog.replaceChildren(...found.map((name) => h("option", { value: name, selected: name === wanted }, name)));
}

function problem(what, remedy = "") {
  const box = $("#problem");
  box.hidden = !what;
  box.replaceChildren(what, ...(remedy ? [h("small", {}, remedy)] : []));
}

function buttons() {
  const on = Boolean(line);
  $("#call").hidden = on;
  $("#hang-up").hidden = !on;
  $("#mute").hidden = !on;
  for (const key of $$("#keypad button")) key.disabled = !on;
  form.dialog.disabled = on;
  if (document.activeElement === document.body) $(on ? "#hang-up" : "#call").focus(); // the button that was pressed is gone
}

const show = framed(() => {
  if (!call) return;
  turns.show(call.turns, call);
  attribute($("#floor"), "data-floor", call.floor ?? "nobody");
  put($("#floor-word"), call.ended ? "over" : { bot: "the bot speaks", caller: "you speak" }[call.floor] ?? "your turn, or silence");
  put($("#step"), call.step ? `step ${call.step}` : "");
  const rows = Object.entries(call.slots ?? {}).filter(([, value]) => value !== null && value !== "");
  $("#no-slots").hidden = rows.length > 0;
  $("#slots").replaceChildren(...rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, typeof value === "object" ? JSON.stringify(value) : String(value))]));
});

/** Say once that it is over, below its last turn, and where its record is. */
function over(mine) {
  if (mine.told || !call) return;
  mine.told = true;
  turns.show(call.turns, call);
  const words = `The call has ended${call.outcome ? `: ${call.outcome}` : ""}. `;
  turns.line([words, h("a", { href: `/history/${encodeURIComponent(call.id)}` }, "Its record")]);
}

function follow(mine, id) {
  return watch(["call"], id, (name, data, newsId) => {
    if (name === "snapshot") {
      const found = list(data, "calls").find((one) => one.id === id);
      if (found) call = newCall(found);
    } else if (newsId === id && call) apply(call, name.slice("call.".length), data);
    else if (name === "call.began" && newsId === id) call = newCall(data.call);
    if (call?.id === id && call.ended) over(mine);
    show();
  });
}

async function begin(event) {
  event.preventDefault();
  if (line || !form.dialog.value) return;
  problem("");
  const mine = { began: Date.now() };
  line = mine;
  buttons();
  put($("#floor-word"), "connecting…");
  try {
    mine.player = await Player.open(RATE, 1);
    mine.microphone = await Microphone.open((frame) => {
      if (mine.socket?.readyState === WebSocket.OPEN && mine.ready && mine.socket.bufferedAmount < 64000) mine.socket.send(frame);
    });
  } catch (error) {
    if (line === mine) {
      end();
      problem(error.message);
    } else mine.player?.close();
    return;
  }
  if (line !== mine) { // hung up before it began
    mine.microphone.close();
    mine.player.close();
    return;
  }
  window.panelPlayer = mine.player;
  mine.stopMeters = meters([[$("#meter-mine"), () => mine.microphone?.level, "--caller"], [$("#meter-bot"), () => mine.player?.levels[0], "--bot"]]);
  mine.socket = new WebSocket(paths.talk({ dialog: form.dialog.value }));
  mine.socket.binaryType = "arraybuffer";
  mine.socket.onmessage = ({ data }) => {
    if (typeof data !== "string") {
      mine.player.play(data);
      return;
    }
    const news = JSON.parse(data);
    if (news.type === "ready") {
      mine.ready = true;
      mine.began = Date.now();
      turns.clear();
      call = newCall({ id: news.call });
      mine.stopWatching = follow(mine, news.call);
      mine.timer = setInterval(() => put($("#time"), clock(Date.now() - mine.began)), 1000);
      put($("#floor-word"), "connected");
    } else if (news.type === "clear") mine.player.clear();
    else if (news.type === "ended") {
      mine.over = true;
      setTimeout(() => { if (line === mine) end(); }, 400); // the last words are still to be heard
    } else if (news.type === "error") {
      mine.over = true;
      problem(news.problems?.[0]?.what ?? "Refused", news.problems?.[0]?.remedy ?? "");
    }
  };
  mine.socket.onclose = ({ code, reason }) => {
    if (line !== mine) return;
    if (!mine.over && code !== 1000 && code !== 1005) problem(reason || "The gateway closed the line", "is there room for one more call? The page Health tells");
    end();
  };
}

function end() {
  const was = line;
  line = null;
  if (!was) return;
  if (was.socket?.readyState === WebSocket.OPEN) was.socket.send(JSON.stringify({ type: "hangup" }));
  was.socket?.close();
  was.stopMeters?.();
  was.microphone?.close();
  was.player?.close();
  clearInterval(was.timer);
  setTimeout(() => { // its last turn and its end are still told
    was.stopWatching?.();
    if (was.ready && line === null) over(was);
  }, 2000);
  put($("#floor-word"), was.ready ? "over" : "not begun");
  attribute($("#floor"), "data-floor", "nobody");
  attribute($("#mute"), "aria-pressed", false);
  buttons();
}

form.addEventListener("submit", begin);
$("#hang-up").addEventListener("click", end);
$("#mute").addEventListener("click", () => {
  if (!line?.microphone) return;
  line.microphone.muted = !line.microphone.muted;
  attribute($("#mute"), "aria-pressed", line.microphone.muted);
});
$("#keypad").addEventListener("click", (event) => {
  const digit = event.target.closest("[data-digit]")?.dataset.digit;
  if (digit && line?.socket?.readyState === WebSocket.OPEN) line.socket.send(JSON.stringify({ type: "key", digit }));
});
document.addEventListener("keydown", (event) => {
  if (!line || event.repeat || !/^[0-9*#]$/.test(event.key) || event.target.closest("input, select, textarea") || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  $(`[data-digit="${event.key}"]`)?.click();
});
window.addEventListener("pagehide", end);
attempt(dialogs);
