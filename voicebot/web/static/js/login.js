// Who has signed in in one tab is in, in all that wait here.

import { paths } from "./api.js";
import { $ } from "./dom.js";

async function look() {
  if (document.hidden) return;
  const answer = await fetch(paths.session()).catch(() => null);
  if (answer?.ok) location.replace($('[name="next"]').value);
}

document.addEventListener("visibilitychange", look);
window.addEventListener("focus", look);
