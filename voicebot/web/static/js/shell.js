// What every page has: keys, light and dark, dialogues, click-to-dial, what a role may do.

import { $, $$, h, may, once, put } from "./dom.js";
import { attempt, get, paths, post, remove, toast } from "./api.js";

const GO = { l: "/", q: "/queues", r: "/conferences", c: "/campaigns", o: "/dialogs", t: "/talk", h: "/history", s: "/health", u: "/users" };
const GO_MS = 1200;
const COUNT_MS = 10000;

/** Disable what the role may not do, and say why. Call again for what was added later. */
export function roles(root = document) {
  for (const element of $$("[data-needs]", root)) {
    if (may(element.dataset.needs)) continue;
    element.disabled = true;
    element.title = element.dataset.needs === "admin" ? "Only an admin may do this" : `Needs the role ${element.dataset.needs}`;
  }
  for (const element of $$("[data-why]", root)) element.hidden = may(element.dataset.why);
}

function theme() {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "light" : "dark";
  try {
    localStorage.setItem("theme", document.documentElement.dataset.theme);
  } catch {
    // then it lasts as long as this page
  }
  document.dispatchEvent(new CustomEvent("theme"));
}

/** Move the choice in the page's list. Lists mark themselves with data-list, their rows are links or buttons. */
function step(by) {
  const rows = $$("[data-list] [data-item]:not([hidden])");
  if (!rows.length) return;
  const at = rows.indexOf(document.activeElement.closest?.("[data-item]"));
  const next = rows[Math.min(Math.max(at + by, 0), rows.length - 1)];
  (next.matches("a,button,[tabindex]") ? next : $("a,button", next))?.focus();
  next.scrollIntoView({ block: "nearest" });
}

let going = -Infinity; // when "g" was pressed
function key(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const typing = event.target.closest?.("input:not([type=range]), textarea, select, [contenteditable]");
  if (event.key === "Escape" && typing) {
    typing.blur();
    return;
  }
  if (typing || $("dialog[open]")) return;
  if (performance.now() - going < GO_MS && GO[event.key]) {
    event.preventDefault();
    location.assign(GO[event.key]);
    return;
  }
  going = -Infinity;
  const acts = {
    "/": () => ($("[data-search]") ?? $("#say input"))?.focus(),
    "?": () => $("#keys").showModal(),
    j: () => step(1),
    k: () => step(-1),
    g: () => { going = performance.now(); },
    d: () => $("#dial").showModal(),
    Escape: () => { // the second one: the first has left the field
      const search = $("[data-search]");
      if (!search?.value) return;
      search.value = "";
      search.dispatchEvent(new Event("input", { bubbles: true }));
    },
  };
  if (!acts[event.key]) return;
  event.preventDefault();
  acts[event.key]();
}

function click(event) {
  const opener = event.target.closest("[data-open]");
  if (opener) $(`#${opener.dataset.open}`).showModal();
  if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
  if (event.target.matches("dialog")) event.target.close();
  if (event.target.closest("[data-theme-toggle]")) theme();
  const out = event.target.closest("[data-logout]");
  if (out) {
    event.preventDefault();
    attempt(() => remove(paths.session())).then(() => location.assign("/login"));
  }
}

const dial = once(async (form) => {
  const wanted = { channel: form.channel.value.trim() || null, number: form.number.value.replace(/[\s()./-]/g, "") };
  try {
    localStorage.setItem("telephone", wanted.channel ?? "");
  } catch {
    // typed again next time
  }
  if (await attempt(() => post(paths.dial(), wanted))) {
    $("#dial").close();
    toast(`${wanted.channel ?? "Your telephone"} rings`, `Answer it, and ${wanted.number} is dialled.`, "good");
  }
});

/** The figures beside the places; a page that watches them itself sets them more often. */
export function counts({ live, waiting }) {
  if (live !== undefined) $("#live-count").textContent = live || "";
  if (waiting !== undefined) {
    $("#waiting-count").textContent = waiting || "";
    $("#waiting-count").classList.toggle("urgent", waiting > 0);
  }
}

const SIGNS = { degraded: ["trouble", "warn"], down: ["down", "bad"] };

/** The sign beside Health, and on the live page what callers feel of it. */
function sign({ state, why, callers }) {
  const [word, tone] = SIGNS[state] ?? ["", ""];
  for (const element of $$("[data-sign]")) {
    put(element, word);
    element.classList.toggle("warn", tone === "warn");
    element.classList.toggle("bad", tone === "bad");
  }
  $('.nav .place[href="/health"]').title = ["Health", ...why].join("\n");
  $('[data-open="more"]').setAttribute("aria-label", word ? `More; Health: ${word}` : "More");
  const felt = $("#felt");
  if (!felt || felt.dataset.said === callers) return;
  felt.dataset.said = callers;
  felt.replaceChildren(...(callers ? [h("p", { class: `problem ${tone}` }, h("b", {}, "Callers notice: "), callers, ". ", h("a", { href: "/health" }, "See Health"))] : []));
}

async function look() {
  if (!document.hidden && document.body.dataset.line !== "away") {
    try {
      const summary = await get("/panel/counts");
      counts({ live: summary.calls, waiting: summary.waiting });
      sign(summary.health);
    } catch {
      // the page itself tells that the gateway is away
    }
  }
}

roles();
document.addEventListener("keydown", key);
document.addEventListener("click", click);
const form = $("[data-dial]");
form?.addEventListener("submit", (event) => {
  event.preventDefault();
  dial(event.target);
});
try {
  if (form) form.channel.value = localStorage.getItem("telephone") ?? "";
} catch {
  // nothing kept
}
document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRF-Token"] = $('meta[name="csrf-token"]').content;
});
document.addEventListener("htmx:afterSwap", (event) => roles(event.target));

look();
setInterval(look, COUNT_MS);
