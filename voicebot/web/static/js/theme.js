// Before the first paint: light or dark, as chosen in this browser; otherwise the system's.
(() => {
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // a browser that keeps nothing follows the system
  }
})();
