// What cannot wait for the modules.

// Before the first paint: light or dark, as chosen in this browser; otherwise the system's.
(() => {
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // a browser that keeps nothing follows the system
  }
})();

// Who is quicker than the modules is not ignored: keys, clicks and forms wait until all of them have run, so that
// what one module hears already is not heard twice.
(() => {
  const kinds = ["keydown", "click", "submit"];
  const early = [];
  const keep = (event) => {
    const { type, target } = event;
    if (type === "click" && !target.closest?.("button[type=button], [data-logout]")) return;
    if (type === "submit" && target.hasAttribute("action")) return; // the browser sends it itself
    event.stopImmediatePropagation();
    if (type !== "keydown") event.preventDefault(); // a key still writes into its field
    early.push(event);
  };
  for (const kind of kinds) addEventListener(kind, keep, true);
  document.addEventListener("DOMContentLoaded", () => { // the modules have run
    for (const kind of kinds) removeEventListener(kind, keep, true);
    for (const event of early) event.target.dispatchEvent(new event.constructor(event.type, event));
  });
})();
