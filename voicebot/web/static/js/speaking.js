// A supervisor's own voice in a call: barge (bot holds), take over (bot has left), whisper (agent only).

import { $, put } from "./dom.js";
import { paths, toast } from "./api.js";
import { Microphone, meters } from "./audio.js";

const WORDS = {
  barge: "The caller hears you; the bot is silent.",
  take_over: "You have the call; the bot has left.",
  whisper: "Only the agent hears you.",
};

export class Speaking {
  constructor(callId) {
    this.callId = callId;
    this.bar = $("#barging");
    $("#unbarge").addEventListener("click", () => this.stop());
  }

  async start(mode) {
    this.stop();
    const asked = (this.asked = {});
    let microphone;
    let socket = null;
    try {
      // The microphone first: while the browser asks for it, or if it is refused, the call goes on undisturbed.
      microphone = await Microphone.open((frame) => {
        if (socket?.readyState === WebSocket.OPEN && socket.bufferedAmount < 64000) socket.send(frame);
      });
    } catch (error) {
      if (this.asked !== asked) return;
      this.stop();
      toast("You cannot speak yet", error.message, "bad");
      return;
    }
    if (this.asked !== asked) { // stopped meanwhile
      microphone.close();
      return;
    }
    this.microphone = microphone;
    socket = this.#connect(mode);
  }

  #connect(mode) {
    const socket = new WebSocket(paths.microphone(this.callId, mode));
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onmessage = ({ data }) => {
      if (typeof data !== "string" || this.socket !== socket) return;
      const news = JSON.parse(data);
      if (news.type === "ready") this.#heard(mode);
      else if (news.type === "error") for (const problem of news.problems ?? []) toast(problem.what, problem.remedy, "bad");
    };
    socket.onclose = ({ code, reason }) => {
      if (this.socket !== socket) return;
      if (![1000, 1005, 4404].includes(code)) toast("You are no longer heard", reason || "the gateway closed the line", "bad");
      this.stop();
    };
    return socket;
  }

  #heard(mode) {
    put($("span", this.bar), WORDS[mode] ?? mode);
    this.bar.hidden = false;
    this.stopMeters = meters([[$("#meter-mine"), () => this.microphone?.level, "--person"]]);
  }

  stop() {
    this.asked = null;
    const socket = this.socket;
    this.socket = null;
    socket?.close();
    this.stopMeters?.();
    this.microphone?.close();
    this.microphone = null;
    this.bar.hidden = true;
  }
}
