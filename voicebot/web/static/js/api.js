// The REST interface: requests with the CSRF token, and its errors told to people. All paths stand here.

import { $, h } from "./dom.js";

const ROOT = "/api/v1";
const enc = encodeURIComponent;

export const paths = {
  session: () => `${ROOT}/session`,
  events: (topics, id) => `${ROOT}/events?topics=${topics.join(",")}${id ? `&id=${enc(id)}` : ""}`,
  call: (id) => `${ROOT}/calls/${enc(id)}`,
  act: (id, what) => `${ROOT}/calls/${enc(id)}/${what}`,
  listen: (id) => socket(`${ROOT}/calls/${enc(id)}/listen`),
  microphone: (id, mode) => socket(`${ROOT}/calls/${enc(id)}/microphone?mode=${enc(mode)}`),
  talk: (query) => socket(`${ROOT}/browser-call?${new URLSearchParams(query)}`),
  agent: (name, what) => `${ROOT}/agents/${enc(name)}/${what}`,
  queueCall: (id, what) => `${ROOT}/queues/calls/${enc(id)}/${what}`,
  room: (name, what) => `${ROOT}/conferences/${enc(name)}/${what}`,
  participant: (room, id, what) => `${ROOT}/conferences/${enc(room)}/participants/${enc(id)}/${what}`,
  visit: (id) => `${ROOT}/visits/${enc(id)}`,
  dial: () => `${ROOT}/pbx/dial`,
  hangUp: () => `${ROOT}/pbx/hang-up`,
  campaigns: () => `${ROOT}/campaigns`,
  campaign: (name, what = "") => `${ROOT}/campaigns/${enc(name)}${what && `/${what}`}`,
  dialogs: () => `${ROOT}/dialogs`,
  dialog: (name) => `${ROOT}/dialogs/${enc(name)}`,
  picture: (name) => `${ROOT}/dialogs/${enc(name)}/picture.svg`,
  check: (name) => `${ROOT}/dialogs/${enc(name)}/check`,
  chat: (name, id = "") => `${ROOT}/dialogs/${enc(name)}/chat${id && `/${enc(id)}`}`,
  record: (id) => `${ROOT}/history/${enc(id)}`,
  peaks: (id) => `${ROOT}/history/${enc(id)}/peaks`,
  recording: (id) => `${ROOT}/history/${enc(id)}/recording`,
  health: () => `${ROOT}/health`,
  pbx: () => `${ROOT}/pbx`,
  users: () => `${ROOT}/users`,
  audit: (before) => `${ROOT}/audit${before === null ? "" : `?before=${before}`}`,
  user: (name, what = "") => `${ROOT}/users/${enc(name)}${what && `/${what}`}`,
};

function socket(path) {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
}

/** What the server refused: problems with a remedy each. */
export class Refused extends Error {
  constructor(status, problems) {
    super(problems.map((problem) => problem.what).join("; "));
    this.status = status;
    this.problems = problems;
  }
}

/** The session is over: sign in, and be back here. */
export function signInAnew() {
  location.assign(`/login?wrong=ended&next=${enc(location.pathname + location.search)}`);
}

const TIMEOUT_MS = 15000;

async function request(method, path, body) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") {
    headers["X-CSRF-Token"] = $('meta[name="csrf-token"]')?.content ?? "";
    headers["Content-Type"] = "application/json";
  }
  let answer, content;
  try {
    answer = await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const kind = answer.headers.get("content-type") ?? "";
    content = kind.includes("json") ? await answer.json() : await answer.text();
  } catch {
    const remedy = method === "GET" ? "It is tried again on its own" : "Whether it was done is not known: look, then try again";
    throw new Refused(0, [{ what: "The gateway does not answer", remedy: `Is \`voicebot serve\` running? ${remedy}` }]);
  }
  if (answer.status === 401) {
    signInAnew();
  }
  if (!answer.ok) throw new Refused(answer.status, problemsOf(answer, content));
  return content;
}

/** Problems in any of the shapes that errors come in: ours, RFC 9457, FastAPI's. */
function problemsOf(answer, content) {
  const found = content?.problems ?? content?.detail?.problems;
  if (Array.isArray(found) && found.length) return found;
  if (Array.isArray(content?.detail)) return content.detail.map((one) => ({ what: `${(one.loc ?? []).slice(1).join(".")}: ${one.msg}`, remedy: "" }));
  const what = content?.what ?? content?.title ?? (typeof content?.detail === "string" ? content.detail : "");
  return [{ what: what || `The gateway answered ${answer.status}`, remedy: content?.remedy ?? "" }];
}

export const get = (path) => request("GET", path);
export const post = (path, body = {}) => request("POST", path, body);
export const patch = (path, body) => request("PATCH", path, body);
export const remove = (path) => request("DELETE", path);

/**
 * Ask the same again and again: the answers are taken in the order of their questions. One that comes after that
 * to a later question is dropped, refusals as well: it tells how things were, and would undo what is known since.
 */
export function inOrder(ask) {
  let asked = 0;
  let had = 0;
  return async (take) => {
    asked += 1;
    const mine = asked;
    let [answer, refused] = [null, null];
    try {
      answer = await ask();
    } catch (error) {
      refused = error;
    }
    if (mine < had) return;
    had = mine;
    if (refused) throw refused;
    take(answer);
  };
}

const TOAST_MS = 6000;

/** Say something at the edge of the page. */
export function toast(what, remedy = "", kind = "") {
  const box = $("#toasts");
  if (!box) return;
  const shut = () => note.remove();
  const note = h("div", { class: `toast ${kind}` }, h("b", {}, what), h("button", { type: "button", "aria-label": "Close", onclick: shut }, "×"), remedy && h("p", {}, remedy));
  while (box.children.length >= 4) box.firstElementChild.remove();
  box.append(note);
  setTimeout(shut, kind === "bad" ? TOAST_MS * 2 : TOAST_MS);
}

/** Do something that may be refused; tell why if so. Returns whether it was done. */
export async function attempt(work, done = "") {
  try {
    await work();
    if (done) toast(done, "", "good");
    return true;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    for (const problem of error.problems) toast(problem.what, problem.remedy, "bad");
    return false;
  }
}

/**
 * Ask before what cannot be undone. Resolves to null (no), or {value, choice}. A question that comes while
 * another one stands is not asked: a "yes" must not be taken for both.
 */
export function ask({ title, text = "", yes = "Yes", danger = false, field = null, choice = null }) {
  const dialog = $("#sure");
  if (dialog.open) return Promise.resolve(null);
  const button = $("#sure-yes");
  $("#sure-title").textContent = title;
  $("#sure-text").textContent = text;
  $("#sure-text").hidden = !text;
  button.textContent = yes;
  button.className = `button primary${danger ? " danger" : ""}`;
  const [fieldRow, choiceRow] = [$("#sure-field"), $("#sure-choice")];
  const [input, select] = [$("input", fieldRow), $("select", choiceRow)];
  fieldRow.hidden = !field;
  choiceRow.hidden = !choice;
  input.required = Boolean(field && !field.optional);
  if (field) {
    $("span", fieldRow).textContent = field.label;
    input.value = field.value ?? "";
    input.placeholder = field.placeholder ?? "";
  }
  if (choice) {
    $("span", choiceRow).textContent = choice.label;
    select.replaceChildren(...choice.options.map((option) => {
      const [value, label] = Array.isArray(option) ? option : [option, option];
      return h("option", { value, selected: value === choice.value }, label);
    }));
  }
  dialog.returnValue = "";
  dialog.showModal();
  // Of what is dangerous the way out: a key that is held down must not say yes.
  (field ? input : choice ? select : danger ? $("button[value='']", dialog) : button).focus();
  return new Promise((resolve) => {
    const yes_ = (event) => {
      if (event.submitter?.value === "yes") dialog.returnValue = "yes";
    };
    $("form", dialog).addEventListener("submit", yes_);
    dialog.addEventListener("close", () => {
      $("form", dialog).removeEventListener("submit", yes_);
      resolve(dialog.returnValue === "yes" ? { value: input.value.trim(), choice: select.value } : null);
    }, { once: true });
  });
}
