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

// Who is quicker than the modules is not ignored: keys and clicks that come before them are given to them.
(() => {
  const early = [];
  const keep = (event) => {
    if (event.type === "keydown" || event.target.closest?.("button[type=button]")) early.push(event);
  };
  const kinds = ["keydown", "click"];
  for (const kind of kinds) addEventListener(kind, keep);
  document.addEventListener("DOMContentLoaded", () => { // the modules have run
    for (const kind of kinds) removeEventListener(kind, keep);
    for (const event of early) {
      if (!event.defaultPrevented) event.target.dispatchEvent(new event.constructor(event.type, event));
    }
  });
})();
