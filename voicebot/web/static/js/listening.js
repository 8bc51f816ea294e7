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
    let opening = null;
    socket.onmessage = async ({ data }) => {
      if (typeof data === "string") {
        const news = JSON.parse(data);
        if (news.type === "ready") {
          opening = Player.open(news.sample_rate, news.channels ?? 2);
          const player = await opening;
          if (this.socket !== socket) { // stopped meanwhile
            player.close();
            return;
          }
          this.player = player;
          window.panelPlayer = player;
          this.player.volume = Number($("#volume").value);
          this.stopMeters = meters([
            [$("#meter-caller"), () => this.player?.levels[0], "--caller"],
            [$("#meter-bot"), () => this.player?.levels[1], "--bot"],
          ]);
          this.#show("live");
        } else if (news.type === "ended") this.stop("the call is over");
        else if (news.type === "error") {
          for (const problem of news.problems ?? []) toast(problem.what, problem.remedy, "bad");
          this.stop();
        }
      } else if (this.player) this.player.play(data);
    };
    socket.onclose = ({ code, reason }) => {
      if (this.socket !== socket) return;
      if (![1000, 1005, 4404].includes(code)) toast("Listening has stopped", reason || "the gateway closed the line; press Listen to try again", "bad");
      this.stop();
    };
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
