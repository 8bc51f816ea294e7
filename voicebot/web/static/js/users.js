// Users: make, change role, new password, a link for one sign-in, remove.

import { $, h, list, put, when } from "./dom.js";
import { ask, attempt, get, patch, paths, post, remove } from "./api.js";

const ROLES = ["viewer", "supervisor", "author", "admin"];
const me = document.body.dataset.user;

function row(user) {
  const act = (label, what, danger = false) => h("button", { class: `button small${danger ? " danger" : ""}`, type: "button", "data-act": what, "data-name": user.name }, label);
  return h("tr", {}, h("td", {}, h("b", {}, user.name), user.name === me && h("span", { class: "note" }, " you")),
    h("td", {}, h("select", { class: "input", "data-role-of": user.name, "aria-label": `Role of ${user.name}`, disabled: user.name === me }, ...ROLES.map((role) => h("option", { selected: role === user.role }, role)))),
    h("td", { class: "less soft" }, user.seen_at || user.last_seen_at ? when(user.seen_at ?? user.last_seen_at) : "never"),
    h("td", { class: "num" }, h("span", { class: "buttons" }, act("Link", "link"), act("Password", "password"), user.name !== me && act("Remove", "remove", true))));
}

async function look() {
  await attempt(async () => $("#rows").replaceChildren(...list(await get(paths.users()), "users").map(row)));
}

document.addEventListener("change", async (event) => {
  const name = event.target.dataset.roleOf;
  if (name) {
    await attempt(() => patch(paths.user(name), { role: event.target.value }), `${name} is now ${event.target.value}`);
    look();
  }
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-act]");
  if (!button) return;
  const { name, act } = button.dataset;
  if (act === "remove" && await ask({ title: `Remove ${name}?`, text: "They are signed out at once. What they did stays in the audit.", yes: "Remove", danger: true })) await attempt(() => remove(paths.user(name)), `${name} is removed`);
  if (act === "password") {
    const answer = await ask({ title: `New password for ${name}`, text: "They are signed out everywhere.", yes: "Set", field: { label: "Password, 12 characters or more" } });
    if (answer) await attempt(() => patch(paths.user(name), { password: answer.value }), "Set");
  }
  if (act === "link") {
    await attempt(async () => {
      const answer = await post(paths.user(name, "link"));
      const url = new URL(answer.url ?? answer.path ?? `/link/${answer.secret}`, location.origin).href;
      await ask({ title: `A sign-in for ${name}`, text: "It works once. Hand it over in a way that you trust.", yes: "Done", field: { label: "Link", value: url } });
    });
  }
  look();
});

$("#new").addEventListener("click", () => $("#user").showModal());
$("#user form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const wanted = { name: form.elements.name.value, role: form.elements.role.value };
  if (form.elements.password.value) wanted.password = form.elements.password.value;
  if (await attempt(() => post(paths.users(), wanted), `${wanted.name} can sign in`)) {
    form.reset();
    $("#user").close();
    look();
  }
});
put($("#user-title"), "New user");
look();
