// Users: make, change role, new password, a link for one sign-in, remove.

import { $, h, list, put, when } from "./dom.js";
import { ask, attempt, get, inOrder, patch, paths, post, remove } from "./api.js";

const ROLES = ["viewer", "supervisor", "author", "admin"];
const me = document.body.dataset.user;

function row(user) {
  const act = (label, what, danger = false) => h("button", { class: `button small${danger ? " danger" : ""}`, type: "button", "data-act": what, "data-name": user.name }, label);
  return h("tr", {}, h("td", {}, h("b", {}, user.name), user.name === me && h("span", { class: "note" }, " you")),
    h("td", {}, h("select", { class: "input", "data-role-of": user.name, "aria-label": `Role of ${user.name}`, disabled: user.name === me }, ...ROLES.map((role) => h("option", { selected: role === user.role }, role)))),
    h("td", { class: "less soft" }, user.signed_in_at ? `${when(user.signed_in_at)}${user.sessions ? ` · in ${user.sessions} browser${user.sessions > 1 ? "s" : ""}` : ""}` : "never"),
    h("td", { class: "num" }, h("span", { class: "buttons" }, act("Password", "password"), user.sessions > 0 && user.name !== me && act("Sign out", "sign-out"), user.name !== me && act("Remove", "remove", true))));
}

const answered = inOrder(() => get(paths.users()));

async function look() {
  await attempt(() => answered((answer) => $("#rows").replaceChildren(...list(answer, "users").map(row))));
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
    const answer = await ask({ title: `New password for ${name}`, text: "They are signed out everywhere.", yes: "Set", field: { label: "Password, 10 characters or more" } });
    if (answer) await attempt(() => patch(paths.user(name), { password: answer.value }), "Set");
  }
  if (act === "sign-out") await attempt(() => post(paths.user(name, "sign-out")), `${name} is signed out everywhere`);
  look();
});

$("#new").addEventListener("click", () => $("#user").showModal());
$("#user form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const wanted = { name: form.elements.name.value, role: form.elements.role.value, password: form.elements.password.value };
  if (await attempt(() => post(paths.users(), wanted), `${wanted.name} can sign in`)) {
    form.reset();
    $("#user").close();
    look();
  }
});
put($("#user-title"), "New user");
look();
