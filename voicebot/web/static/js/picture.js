// A dialog's picture in a shadow root of its own: its colours follow the panel's theme, and steps can be lit.

import { get, paths } from "./api.js";
import { h } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
/** How small a wide picture may get to fit; then it scrolls. */
const LEAST = 0.68;
const OURS = `
  :host { display: block; }
  svg { display: block; max-width: none; height: auto; }
  .paper { fill: none; }
  .node { cursor: default; }
  .node.been .box { stroke: var(--accent); }
  .node.now .box { stroke: var(--accent); stroke-width: 3.5; filter: drop-shadow(0 0 5px color-mix(in srgb, var(--accent) 60%, transparent)); }
  .count circle, .count rect { fill: var(--accent); }
  .count text { fill: var(--accent-ink); font-weight: 700; text-anchor: middle; font-size: 12px; }
  .count { transition: opacity .2s; }
  .count.none { opacity: 0; }
`;

export class Picture {
  constructor(host) {
    this.host = host;
    this.root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
    this.counts = new Map();
    document.addEventListener("theme", () => this.#style());
  }

  /** Fetch and show the picture of a dialog. Returns whether there is one. */
  async show(name) {
    let text;
    try {
      text = await get(paths.picture(name));
    } catch (error) {
      this.root.replaceChildren(h("p", {}, error.message), h("p", {}, error.problems?.[0]?.remedy ?? ""));
      return false;
    }
    const svg = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
    if (svg.nodeName !== "svg") return false;
    for (const script of svg.querySelectorAll("script, foreignObject")) script.remove();
    const style = svg.querySelector("style");
    this.css = style?.textContent ?? "";
    style?.remove();
    this.svg = document.importNode(svg, true);
    this.root.replaceChildren(this.svg);
    this.nodes = new Map([...this.svg.querySelectorAll("[data-step]")].map((node) => [node.dataset.step, node]));
    this.counts.clear();
    const [natural, room] = [this.svg.viewBox.baseVal.width, this.host.clientWidth];
    this.svg.setAttribute("width", Math.round(natural > room ? Math.max(room, natural * LEAST) : natural));
    this.svg.removeAttribute("height");
    this.#style();
    return true;
  }

  #style() {
    if (!this.css) return;
    const chosen = document.documentElement.dataset.theme;
    const css = chosen ? this.css.replaceAll("(prefers-color-scheme:dark)", chosen === "dark" ? "all" : "not all") : this.css;
    const sheet = new CSSStyleSheet(); // made by script: allowed without inline styles
    sheet.replaceSync(css + OURS);
    this.root.adoptedStyleSheets = [sheet];
  }

  /** Light the steps that a call has been at, and where it is; bring that into sight. */
  path(been, now) {
    if (!this.nodes) return;
    const seen = new Set(been);
    for (const [step, node] of this.nodes) {
      node.classList.toggle("been", seen.has(step) && step !== now);
      node.classList.toggle("now", step === now);
    }
    const node = this.nodes.get(now);
    if (node && this.last !== now) {
      this.last = now;
      const [box, frame] = [node.getBoundingClientRect(), this.host.getBoundingClientRect()];
      this.host.scrollTo({
        left: this.host.scrollLeft + box.left - frame.left - (frame.width - box.width) / 2,
        top: this.host.scrollTop + box.top - frame.top - (frame.height - box.height) / 2,
        behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth",
      });
    }
  }

  /** Show how many calls are at each step: {step: n}. */
  calls(at) {
    if (!this.nodes) return;
    for (const [step, node] of this.nodes) {
      const n = at[step] ?? 0;
      let mark = this.counts.get(step);
      if (!mark) {
        if (!n) continue;
        const box = node.querySelector(".box");
        const [x, y] = [parseFloat(box.getAttribute("x")), parseFloat(box.getAttribute("y"))];
        mark = document.createElementNS(SVG, "g");
        const rect = document.createElementNS(SVG, "rect");
        const text = document.createElementNS(SVG, "text");
        for (const [name, value] of Object.entries({ x: x - 13, y: y - 11, width: 26, height: 22, rx: 11 })) rect.setAttribute(name, value);
        text.setAttribute("x", x);
        text.setAttribute("y", y + 4.5);
        mark.append(rect, text);
        node.append(mark);
        this.counts.set(step, mark);
      }
      mark.setAttribute("class", n ? "count" : "count none");
      const text = mark.querySelector("text");
      if (n && text.textContent !== String(n)) text.textContent = n;
      node.classList.toggle("now", n > 0);
    }
  }
}
