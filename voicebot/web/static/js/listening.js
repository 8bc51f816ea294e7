// Listen to a live call: both sides over one websocket, the caller a little to the left, the bot to the right.

import { $, attribute, put } from "./dom.js";
import { paths, toast } from "./api.js";
import { Player, meters } from "./audio.js";

export class Listening {
  constructor(callId) {
    this.callId = callId;
    this.button = $("#listen");
    this.on = false;
    this.button.addEventListener("click", () => (this.on ? this.stop() : this.start()));
    $("#volume").addEventListener("input", (event) => {
      if (this.player) this.player.volume = Number(event.target.value);
    });
  }

  async start() {
    if (this.button.disabled) return;
    this.on = true;
    this.#show("connecting…");
    const socket = new WebSocket(paths.listen(this.callId));
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onmessage = ({ data }) => {
      if (typeof data !== "string") {
        this.player?.play(data);
        return;
      }
      const news = JSON.parse(data);
      if (news.type === "ready") this.#hear(socket, news);
      else if (news.type === "ended") this.stop("the call is over");
      else if (news.type === "error") {
        for (const problem of news.problems ?? []) toast(problem.what, problem.remedy, "bad");
        this.stop();
      }
    };
    socket.onclose = ({ code, reason }) => {
      if (this.socket !== socket) return;
      if (![1000, 1005, 4404].includes(code)) toast("Listening has stopped", reason || "the gateway closed the line; press Listen to try again", "bad");
      this.stop();
    };
  }

  async #hear(socket, { sample_rate: rate, channels = 2 }) {
    let player;
    try {
      player = await Player.open(rate, channels);
    } catch (error) {
      if (this.socket !== socket) return;
      this.stop();
      toast("You cannot listen", error.message, "bad");
      return;
    }
    if (this.socket !== socket) { // stopped meanwhile
      player.close();
      return;
    }
    this.player = player;
    window.panelPlayer = player;
    player.volume = Number($("#volume").value);
    this.stopMeters = meters([
      [$("#meter-caller"), () => this.player?.levels[0], "--caller"],
      [$("#meter-bot"), () => this.player?.levels[1], "--bot"],
    ]);
    this.#show("live");
  }

  stop(why = "") {
    this.on = false;
    const socket = this.socket;
    this.socket = null;
    socket?.close();
    this.stopMeters?.();
    this.player?.close();
    this.player = null;
    this.#show(why);
  }

  #show(note) {
    attribute(this.button, "aria-pressed", this.on);
    put($("span", this.button), this.on ? "Stop" : "Listen");
    put($("#listen-note"), note);
  }
}
