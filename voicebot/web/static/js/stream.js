// Server-sent events by fetch: every kind of news in one place, a refused login noticed, and retries that
// back off. A tab that nobody sees gives its connection back: browsers allow only six to one host.

import { $, put } from "./dom.js";
import { paths, signInAnew } from "./api.js";

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 4000;
/** The gateway says every 15 s that it is there; who slept, or changed networks, hears nothing. */
const SILENCE_MS = 25000;
const LOOK_MS = 2000;
const HIDDEN_MS = 60000;

/**
 * Watch topics. told(name, data, id): name is `topic.kind`, or `snapshot`; data the news' own data.
 * Everything starts with a snapshot, also after each break: then look again how things stand.
 */
export function watch(topics, id, told) {
  let abort = null;
  let retry = FIRST_RETRY_MS;
  let closed = false;
  let timer = 0;
  let running = false;
  let heard = 0; // by the clock on the wall: the others may stand still in sleep

  async function run() {
    if (running || closed) return;
    clearTimeout(timer);
    running = true;
    abort = new AbortController();
    heard = Date.now();
    try {
      const answer = await fetch(paths.events(topics, id), {
        headers: { Accept: "text/event-stream" }, signal: abort.signal, cache: "no-store",
      });
      if (answer.status === 401) {
        signInAnew();
        return;
      }
      if (!answer.ok || !answer.body) throw new Error(`events: ${answer.status}`);
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        heard = Date.now();
        const blocks = (rest + value).replaceAll("\r\n", "\n").split("\n\n");
        rest = blocks.pop();
        for (const block of blocks) one(block);
      }
    } catch (error) {
      if (error.name !== "AbortError" && !(error instanceof TypeError) && !String(error.message).startsWith("events:")) console.warn(error);
    } finally {
      running = false;
    }
    if (closed || document.hidden) return;
    line("away");
    timer = setTimeout(run, retry * (0.7 + 0.6 * Math.random()));
    retry = Math.min(retry * 2, LONGEST_RETRY_MS);
  }

  function one(block) {
    let name = "message";
    const data = [];
    for (const row of block.split("\n")) {
      if (row.startsWith("event:")) name = row.slice(6).trim();
      else if (row.startsWith("data:")) data.push(row.slice(5).trimStart());
    }
    if (!data.length) return;
    retry = FIRST_RETRY_MS;
    line("live");
    const news = JSON.parse(data.join("\n"));
    if (name === "signed_out") signInAnew();
    else if (name === "snapshot") told("snapshot", news, "");
    else told(name, news.data ?? {}, news.id);
  }

  let hiding = 0;
  function seen() {
    clearTimeout(hiding);
    if (document.hidden) hiding = setTimeout(() => abort?.abort(), HIDDEN_MS);
    else run();
  }
  /** What runs over the old network is dead, and may not know it. */
  function anew() {
    if (running) abort.abort();
    else run();
  }
  const looking = setInterval(() => {
    if (!document.hidden && Math.abs(Date.now() - heard) > SILENCE_MS) abort.abort();
  }, LOOK_MS);
  document.addEventListener("visibilitychange", seen);
  window.addEventListener("online", anew);
  run();
  return () => {
    closed = true;
    document.removeEventListener("visibilitychange", seen);
    window.removeEventListener("online", anew);
    clearInterval(looking);
    clearTimeout(hiding);
    clearTimeout(timer);
    abort?.abort();
  };
}

const WORDS = { live: "live", away: "reconnecting…", wait: "connecting" };

/** Show how the line to the server is. */
export function line(state) {
  if (document.body.dataset.line === state) return;
  document.body.dataset.line = state;
  const sign = $("#line-state");
  if (sign) {
    sign.dataset.state = state;
    put($("span", sign), WORDS[state]);
  }
  const bar = $("#away");
  if (bar) bar.hidden = state !== "away";
}
