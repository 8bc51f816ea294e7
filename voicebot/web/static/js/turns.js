// A conversation on the page: turns of bot and caller, the words that are just being recognised, and events.

import { attribute, h, latency, pace, put } from "./dom.js";

const NEAR_PX = 80;
/** How long a browser scrolls smoothly. */
const SCROLLS_MS = 500;

/** What a supervisor did, in words. */
export function did({ by, what, detail }) {
  return `${by}: ${String(what).replaceAll("_", " ")}${detail ? ` ${detail}` : ""}`;
}

export class Turns {
  constructor(box, { seek = null, follow = true } = {}) {
    this.box = box;
    this.seek = seek;
    this.follow = follow;
    this.elements = [];
    this.partial = null;
    this.scrolled = -SCROLLS_MS;
  }

  clear() {
    this.box.replaceChildren();
    this.elements = [];
    this.partial = null;
  }

  /** Show these turns, and what is being said now. Only what changed is touched. */
  show(turns, { partial = "", saying = "", floor = "" } = {}) {
    const atEnd = this.#atEnd();
    turns.forEach((turn, at) => {
      if (!turn) return;
      if (!this.elements[at]) this.#make(turn, at, turns);
      this.#patch(this.elements[at], turn, floor === "bot" && at === turns.length - 1 && turn.who === "bot");
    });
    const last = turns.at(-1);
    const spoken = saying && !(last?.who === "bot" && (last.text ?? "").includes(saying));
    this.#now(partial ? "caller" : spoken ? "bot" : "", partial || saying);
    if (atEnd) this.#toEnd();
  }

  /** Add a line between the turns: what a supervisor did, a fault, the end. What is being said began before it. */
  line(text, bad = false, before = null) {
    const line = h("p", { class: `event-line${bad ? " bad" : ""}` }, ...[text].flat());
    const atEnd = this.#atEnd();
    this.box.insertBefore(line, before);
    if (atEnd) this.#toEnd();
  }

  /** Add a line where it belongs among the turns that are shown: before the first that began later. */
  lineAt(atMs, text, bad = false) {
    const next = this.elements.find((element) => element?.startMs > atMs);
    this.line(text, bad, next?.el ?? null);
  }

  /** Whether the end is in sight, or on its way there: boxes scroll smoothly. */
  #atEnd() {
    const below = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight;
    return this.follow && (below < NEAR_PX || performance.now() - this.scrolled < SCROLLS_MS);
  }

  #toEnd() {
    if (this.box.scrollTop + this.box.clientHeight >= this.box.scrollHeight) return;
    this.scrolled = performance.now();
    this.box.scrollTop = this.box.scrollHeight;
  }

  #make(turn, at) {
    const said = h("div", { class: "said" });
    const meta = h("div", { class: "meta" });
    const el = h("div", { class: `turn ${turn.who} new`, "data-turn": at }, said, meta);
    if (this.seek) {
      attribute(el, "role", "button");
      attribute(el, "tabindex", "0");
      const go = () => this.seek(turn, at);
      el.addEventListener("click", go);
      el.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        event.stopPropagation();
        go();
      });
    }
    // partial words become the turn: it takes their place, so that nothing jumps
    if (this.partial && this.partial.side === turn.who) {
      this.partial.el.replaceWith(el);
      el.classList.remove("new");
      this.partial = null;
    } else this.box.insertBefore(el, this.partial?.el ?? null);
    this.elements[at] = { el, said, meta, startMs: turn.start_ms };
  }

  #patch({ el, said, meta }, turn, now) {
    const silent = turn.who === "caller" && turn.kind !== "speech" && turn.kind !== "dtmf";
    const text = turn.who === "caller"
      ? { speech: turn.text, dtmf: `${turn.text}`, silence: "said nothing", unheard: "could not be heard" }[turn.kind ?? "speech"] ?? turn.text
      : turn.text;
    if (turn.who === "bot" && turn.interrupted_by && turn.heard != null && turn.text?.startsWith(turn.heard)) {
      if (said.dataset.cut !== turn.heard) {
        said.dataset.cut = turn.heard;
        said.replaceChildren(turn.heard, h("span", { class: "unheard" }, turn.text.slice(turn.heard.length)));
      }
    } else put(said, text);
    attribute(el, "class", `turn ${turn.who}${silent ? " silent" : ""}${now ? " now" : ""}`);
    const notes = [];
    if (turn.kind === "dtmf") notes.push(["keys"]);
    if (turn.step) notes.push([turn.step]);
    if (turn.latency_ms != null) notes.push([latency(turn.latency_ms), pace(turn.latency_ms)]);
    if (turn.interrupted_by) notes.push([`cut short by ${{ dtmf: "a key", speech: "the caller" }[turn.interrupted_by] ?? turn.interrupted_by}`]);
    if (turn.understood && turn.understood !== "match") notes.push([{ nomatch: "not understood", noinput: "no answer", command: "command", unheard: "not heard" }[turn.understood] ?? turn.understood, turn.understood === "nomatch" ? "slow" : ""]);
    if (turn.meaning != null && turn.meaning !== "" && String(turn.meaning) !== turn.text) notes.push([`= ${turn.meaning}`]);
    if (turn.learnt) notes.push([turn.learnt]);
    if (turn.confidence != null && turn.confidence < 0.6) notes.push([`${Math.round(turn.confidence * 100)} % sure`, "slow"]);
    const key = JSON.stringify(notes);
    if (meta.dataset.key !== key) {
      meta.dataset.key = key;
      meta.replaceChildren(...notes.map(([word, class_]) => h("span", { class: class_ || null }, word)));
    }
  }

  #now(side, text) {
    if (!side) {
      this.partial?.el.remove();
      this.partial = null;
      return;
    }
    if (this.partial?.side !== side) {
      this.partial?.el.remove();
      const said = h("div", { class: "said" });
      const el = h("div", { class: `turn ${side} ${side === "caller" ? "partial" : "now"} new`, "aria-hidden": "true" }, said);
      this.box.append(el);
      this.partial = { side, el, said };
    }
    put(this.partial.said, text);
  }
}
