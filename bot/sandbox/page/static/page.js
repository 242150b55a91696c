// The channel in the browser. The server draws; this file asks for what changed and sends what people do.
"use strict";

const $ = (selector, from = document) => from.querySelector(selector);
const here = { as: localStorage.getItem("as") || "alice", channel: "", thread: "" };
let last = {};
let modalKey = "";
const folded = new Map(); // details that the reader has opened or closed, by message and number

readAddress();
applyTheme(localStorage.getItem("theme"));
const changes = new EventSource("/page/events");
changes.onmessage = () => refresh();
window.addEventListener("popstate", () => { readAddress(); refresh(); });

function readAddress() {
  const path = location.pathname.match(/^\/archives\/([^/]+)\/p(\d+)(\d{6})$/);
  const query = new URLSearchParams(location.search);
  here.channel = query.get("channel") || (path && path[1]) || here.channel || "alerts";
  here.thread = query.get("thread") || query.get("thread_ts") || (path ? `${path[2]}.${path[3]}` : "");
  here.as = query.get("as") || here.as;
}

function go(channel, thread = "") {
  here.channel = channel;
  here.thread = thread;
  const query = new URLSearchParams({ channel, ...(thread && { thread }), as: here.as });
  history.pushState(null, "", `/?${query}`);
  if (channel === "home") act("open_home", { user: here.as });
  refresh();
}

// --- drawing ---

let asking = false;
let again = false;
async function refresh() {
  if (asking) { again = true; return; }
  asking = true;
  do {
    again = false;
    const answer = await fetch(`/page/state?${new URLSearchParams(here)}`).catch(() => null);
    if (answer && answer.ok) draw(await answer.json());
  } while (again);
  asking = false;
}

function draw(now) {
  here.channel = now.channel;
  for (const part of ["sidebar", "head", "prompts"]) {
    if (last[part] !== now[part]) $(`#${part}`).innerHTML = now[part];
  }
  const moved = last.place !== `${here.channel} ${here.as}`;
  fill($("#main"), now.main, moved);
  $("#pane").hidden = !here.thread;
  document.body.classList.toggle("with-thread", Boolean(here.thread));
  if (here.thread) fill($("#thread"), now.thread, last.thread_ts !== here.thread);
  $("#write").hidden = !now.writable;
  $("#reply").hidden = !now.writable;
  $("#write textarea").placeholder = now.placeholder;
  if (modalKey !== now.modal_key) {
    modalKey = now.modal_key;
    $("#modal").innerHTML = now.modal;
    $("#modal").hidden = !now.modal;
    const first = $("#modal input, #modal textarea, #modal select");
    if (first) first.focus();
  }
  last = { ...now, place: `${here.channel} ${here.as}`, thread_ts: here.thread };
}

// Pieces are [key, html]; a piece that did not change keeps its element, and with it focus and selection.
function fill(list, pieces, fresh) {
  const atEnd = fresh || list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  const old = new Map([...list.children].map((child) => [child.dataset.key, child]));
  const wanted = pieces.map(([key, html]) => {
    const kept = old.get(key);
    if (kept && kept.made === html) return kept;
    const box = document.createElement("div");
    box.className = "piece";
    box.dataset.key = key;
    box.made = html;
    box.innerHTML = html;
    finish(box, key);
    return box;
  });
  list.replaceChildren(...wanted);
  if (atEnd) list.scrollTop = list.scrollHeight;
}

function finish(box, key) {
  for (const bar of box.querySelectorAll("[data-colour]")) {
    if (bar.dataset.colour) bar.style.borderLeftColor = `#${bar.dataset.colour}`;
  }
  [...box.querySelectorAll("details[data-keep]")].forEach((details, number) => {
    const name = `${key} ${number}`;
    if (folded.has(name)) details.open = folded.get(name);
    $("summary", details).addEventListener("click", () => folded.set(name, !details.open));
  });
}

function applyTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
}

function toast(words) {
  const box = $("#toast");
  box.textContent = words;
  box.hidden = false;
  clearTimeout(box.timer);
  box.timer = setTimeout(() => { box.hidden = true; }, 6000);
}

// --- doing ---

async function act(name, body) {
  const answer = await fetch(`/_fake/${name}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  }).catch(() => null);
  const result = answer ? await answer.json() : { ok: false, error: "The local Slack is not running." };
  if (!result.ok) toast(result.error);
  return result.result;
}

async function use(element, value) {
  const action_id = element.dataset.action;
  const body = { action_id, user: here.as, ...(value !== undefined && { value }) };
  const surface = element.closest("[data-surface]");
  const message = element.closest(".message");
  let failed = "";
  if (surface) failed = await act(surface.dataset.surface === "home" ? "click_home" : "click_view", body);
  else if (message) failed = await act("click", { ...body, channel: message.dataset.channel, ts: message.dataset.ts });
  if (failed) toast(`The app did not answer (${failed}).`);
}

const doings = {
  go: (target) => go(target.dataset.target),
  thread: (_target, message) => go(message.dataset.channel, message.dataset.thread || message.dataset.ts),
  "close-thread": () => go(here.channel),
  theme: () => {
    const dark = getComputedStyle(document.documentElement).colorScheme.trim() === "dark";
    localStorage.setItem("theme", dark ? "light" : "dark");
    applyTheme(dark ? "light" : "dark");
  },
  click: (target) => {
    if (target.dataset.confirm && !confirm(target.dataset.confirm)) return;
    if (/^https?:/.test(target.dataset.url || "")) window.open(target.dataset.url, "_blank", "noopener");
    use(target, target.dataset.value);
  },
  react: (target, message) => act("react", {
    channel: message.dataset.channel, ts: message.dataset.ts, name: target.dataset.name, user: here.as,
    remove: target.classList.contains("mine"),
  }),
  shortcut: (target, message) => act("shortcut", {
    callback_id: target.dataset.callback, channel: message.dataset.channel, ts: message.dataset.ts, user: here.as,
  }),
  global: (target) => act("shortcut", { callback_id: target.dataset.callback, user: here.as }),
  stop: () => act("press_stop", { channel: here.channel, thread_ts: here.thread, user: here.as }),
  prompt: (target) => act("post", { channel: here.channel, text: target.dataset.text, user: here.as }),
  "close-modal": () => act("close_view", { user: here.as }),
};

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-act]");
  if (!target || target.matches("select, input, textarea")) return;
  const doing = doings[target.dataset.act];
  if (doing) doing(target, target.closest(".message"));
});

document.addEventListener("change", (event) => {
  const target = event.target;
  if (target.dataset.act === "who") {
    here.as = target.value;
    localStorage.setItem("as", here.as);
    go("alerts");
  } else if (target.dataset.act === "choose" && target.value) {
    use(target, valueOf(target));
  } else if (target.matches(".choices input") && !target.closest(".block.input")) {
    const group = [...target.closest(".choices").querySelectorAll("input:checked")].map((one) => one.value);
    use(target, target.type === "radio" ? group[0] : group);
  }
});

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  if (form.matches(".composer")) send(form);
  else if (form.matches(".sheet")) submitModal(form);
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !$("#modal").hidden) doings["close-modal"]();
});

function valueOf(field) {
  if (field.multiple) return [...field.selectedOptions].map((one) => one.value);
  if (field.type === "datetime-local") return Math.floor(new Date(field.value).getTime() / 1000);
  return field.value;
}

async function submitModal(form) {
  const values = {};
  for (const field of form.querySelectorAll("[data-action]")) {
    const name = field.dataset.action;
    if (field.tagName === "BUTTON") continue;
    if (field.type === "radio") { if (field.checked) values[name] = field.value; continue; }
    if (field.type === "checkbox") { (values[name] ||= []).push(...(field.checked ? [field.value] : [])); continue; }
    if (field.value !== "") values[name] = valueOf(field);
  }
  const result = await act("submit_view", { values, user: here.as });
  for (const old of form.querySelectorAll(".wrong")) old.textContent = "";
  for (const [block, words] of Object.entries((result && result.errors) || {})) {
    const at = form.querySelector(`[data-block="${CSS.escape(block)}"] .wrong`) || $("footer .wrong", form);
    at.textContent = words;
  }
}

// --- writing ---

async function send(form) {
  const field = $("textarea", form);
  const text = field.value.trim();
  if (!text) return;
  field.value = "";
  resize(field);
  const thread = form.id === "reply" ? here.thread : "";
  const command = text.match(/^(\/[\w-]+)\s*([\s\S]*)$/);
  if (command && thread) { field.value = text; toast("Commands cannot be used in threads."); return; }
  const common = { channel: here.channel, user: here.as };
  if (command) await act("slash", { ...common, command: command[1], text: command[2] });
  else await act("post", { ...common, text, ...(thread && { thread_ts: thread }) });
}

function resize(field) {
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight, 180)}px`;
}

function offers(field) {
  const before = field.value.slice(0, field.selectionStart);
  const word = before.match(/(^|\s)([/@#])([\w.-]*)$/);
  if (!word || (word[2] === "/" && before.trim() !== word[0].trim())) return [];
  const starts = (name) => name.toLowerCase().startsWith(word[3].toLowerCase());
  if (word[2] === "/") {
    return (last.commands || []).filter((one) => starts(one.name.slice(1)))
      .map((one) => ({ insert: one.name, label: one.name, about: `${one.hint}  ${one.about}` }));
  }
  return ((word[2] === "@" ? last.people : last.channels) || []).filter(starts)
    .map((name) => ({ insert: word[2] + name, label: word[2] + name, about: "" }));
}

function offer(form) {
  const menu = $(".menu", form);
  const found = offers($("textarea", form)).slice(0, 8);
  menu.hidden = !found.length;
  menu.replaceChildren(...found.map((one, number) => {
    const row = document.createElement("button");
    row.type = "button";
    row.className = number ? "" : "chosen";
    row.dataset.insert = one.insert;
    const label = document.createElement("b");
    label.textContent = one.label;
    const about = document.createElement("span");
    about.textContent = one.about;
    row.append(label, about);
    row.addEventListener("mousedown", (event) => { event.preventDefault(); take(form, one.insert); });
    return row;
  }));
}

function take(form, insert) {
  const field = $("textarea", form);
  const at = field.selectionStart;
  const before = field.value.slice(0, at).replace(/[/@#][\w.-]*$/, `${insert} `);
  field.value = before + field.value.slice(at);
  field.setSelectionRange(before.length, before.length);
  offer(form);
}

for (const form of document.querySelectorAll(".composer")) {
  const field = $("textarea", form);
  const menu = $(".menu", form);
  field.addEventListener("input", () => { resize(field); offer(form); });
  field.addEventListener("blur", () => { menu.hidden = true; });
  field.addEventListener("keydown", (event) => {
    const rows = [...menu.children];
    const chosen = rows.findIndex((row) => row.className === "chosen");
    if (!menu.hidden && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      rows[chosen].className = "";
      rows[(chosen + (event.key === "ArrowDown" ? 1 : rows.length - 1)) % rows.length].className = "chosen";
    } else if (!menu.hidden && (event.key === "Tab" || (event.key === "Enter" && rows[chosen].dataset.insert !== field.value.trim()))) {
      event.preventDefault();
      take(form, rows[chosen].dataset.insert);
    } else if (event.key === "Escape") {
      menu.hidden = true;
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      menu.hidden = true;
      form.requestSubmit();
    }
  });
}
