// Small helpers for the DOM: build, patch only what changed, write times.

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/** Build an element: h("div", {class: "x", onclick}, "text", child). Never takes HTML. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name === "style") Object.assign(element.style, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `/static/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

export function wave(floor = "nobody") {
  return h("span", { class: "wave", "data-floor": floor, "aria-hidden": "true" }, h("i"), h("i"), h("i"), h("i"));
}

/** Set a text only where it differs: an unchanged node costs no layout. */
export function put(node, text) {
  const value = text ?? "";
  if (node.textContent !== String(value)) node.textContent = value;
}

/** false takes an attribute away; but for those of ARIA, of which it is a state: a button that is not pressed. */
export function attribute(node, name, value) {
  if (value === null || value === undefined || (value === false && !name.startsWith("aria-"))) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
  } else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

/** Make the children of a node these keyed ones: [[key, make, patch]]; nodes that stay are not touched. */
export function keyed(parent, items, key, make, patch) {
  const there = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let before = parent.firstElementChild;
  for (const item of items) {
    const id = String(key(item));
    let child = there.get(id);
    if (!child) {
      child = make(item);
      child.dataset.key = id;
    }
    there.delete(id);
    if (child === before) before = before.nextElementSibling;
    else parent.insertBefore(child, before);
    patch(child, item);
  }
  for (const child of there.values()) child.remove();
}

/** What a colour of the style sheet comes to now, in light or in dark, as canvases take it. */
export const colour = (token) => getComputedStyle(document.documentElement).getPropertyValue(token);

/** 65000 → "1:05"; 3725000 → "1:02:05". */
export function clock(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const tail = `${String(Math.floor(s / 60) % 60).padStart(s >= 3600 ? 2 : 1, "0")}:${String(s % 60).padStart(2, "0")}`;
  return s >= 3600 ? `${Math.floor(s / 3600)}:${tail}` : tail;
}

/** 640 → "640 ms"; 1840 → "1.8 s". */
export function latency(ms) {
  if (ms === null || ms === undefined) return "";
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

export const SLOW_MS = 1500;
export const SLOWER_MS = 3000;

export function pace(ms) {
  return ms >= SLOWER_MS ? "slower" : ms >= SLOW_MS ? "slow" : "";
}

export function number(value) {
  return new Intl.NumberFormat().format(value ?? 0);
}

const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const hour = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/** Seconds of the epoch, or an ISO string, as local date and time. */
export function when(at, short = false) {
  if (at === null || at === undefined || at === "") return "";
  const date = typeof at === "number" ? new Date(at * 1000) : new Date(at);
  return (short ? hour : day).format(date);
}

/** Call back at most once a frame, however often it is asked for. */
export function framed(work) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    const go = () => {
      if (!asked) return;
      asked = false;
      work();
    };
    if (document.hidden) setTimeout(go, 250);
    else requestAnimationFrame(go);
  };
}

/** Do it one at a time: who clicks twice means it once. */
export function once(work) {
  let busy = false;
  return async (...given) => {
    if (busy) return;
    busy = true;
    try {
      await work(...given);
    } finally {
      busy = false;
    }
  };
}

/** A list in an answer, whatever wraps it. */
export function list(answer, name) {
  if (Array.isArray(answer)) return answer;
  return answer?.[name] ?? answer?.items ?? [];
}

const ROLES = { supervisor: ["supervisor", "admin"], author: ["author", "admin"], admin: ["admin"] };

/** Whether who is signed in may do what needs this role. */
export function may(role) {
  return ROLES[role].includes(document.body.dataset.role);
}
