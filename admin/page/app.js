import { $, h, get, post, link, prove, address } from "./dom.js";
import { span } from "./charts.js";
import * as views from "./views.js";

const pages = [["", "Overview", "overview"], ["events", "Events", "events"], ["sockets", "Sockets", "sockets"], ["rooms", "Rooms", "rooms"], ["nodes", "Nodes", "nodes"], ["trouble", "Trouble", "trouble"]];
const others = { socket: "socket", find: "find" };
const state = { history: [], sample: undefined };
let me, view, stream;

// --- the stream ---

function follow() {
  stream?.close();
  stream = new EventSource(address("stream"));
  stream.addEventListener("history", (e) => {
    state.history = JSON.parse(e.data);
    show();
  });
  stream.addEventListener("sample", (e) => {
    state.sample = JSON.parse(e.data);
    state.history.push(state.sample.point);
    const from = state.sample.point.t - span * 1000;
    while (state.history.length && state.history[0].t < from) state.history.shift();
    const quiet = state.sample.draining;
    status(quiet ? "wait" : "on", quiet ? "draining" : "live");
    show();
  });
  stream.onerror = () => {
    status("off", "no contact");
    // Refused: perhaps the login has ended.
    if (stream.readyState === EventSource.CLOSED && !document.hidden) setTimeout(start, 3000);
  };
}

function status(kind, text) {
  $("state").className = `pill ${kind}`;
  $("state").textContent = text;
}

function show() {
  if (!document.hidden) view?.show(state);
}

// Who looks elsewhere for a while lets the stream go: a browser has six connections
// to a server, for all its tabs.
let away;
document.addEventListener("visibilitychange", () => {
  clearTimeout(away);
  if (document.hidden) away = setTimeout(() => stream?.close(), 15_000);
  else if (stream?.readyState === EventSource.CLOSED) start();
  show();
});

// --- pages, by the hash ---

function route() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  return [path, Object.fromEntries(new URLSearchParams(query))];
}

function go() {
  const [path, query] = route();
  const name = pages.find(([p]) => p === path)?.[2] ?? (Object.hasOwn(others, path) ? others[path] : "overview");
  view?.close?.();
  view = views[name](query, { write: me.access === "write" });
  $("main").replaceChildren(view.el);
  document.title = `${pages.find(([p]) => p === path)?.[1] ?? query.id ?? query.q ?? "Sockeye"} · ${me.node}`;
  for (const a of $("nav").children) {
    if (a.dataset.page === path) a.setAttribute("aria-current", "page");
    else a.removeAttribute("aria-current");
  }
  if (path !== "find") $("q").value = "";
  else $("q").value = query.q ?? "";
  scrollTo(0, 0);
  show();
}
addEventListener("hashchange", () => me?.access !== "none" && go());

$("search").addEventListener("submit", (e) => {
  e.preventDefault();
  const q = $("q").value.trim();
  if (q) location.hash = link("find", { q });
});

// --- coming in and going ---

async function start() {
  try {
    me = await get("me");
    prove(me.proof);
  } catch {
    setTimeout(start, 3000);
    return;
  }
  const inside = me.access !== "none";
  $("top").hidden = !inside;
  $("main").hidden = !inside;
  $("login").hidden = inside;
  $("logout").hidden = !me.login;
  if (!inside) {
    stream?.close();
    view?.close?.();
    view = undefined;
    if (!me.login) {
      $("login").replaceChildren(h("h1", {}, "Sockeye"), h("p", {}, "You are not let in here. Log in to the program first."));
    } else $("username").focus();
    return;
  }
  $("nav").replaceChildren(...pages.map(([path, name]) => h("a", { href: `#/${path}`, "data-page": path }, name)));
  go();
  follow();
}

$("login").addEventListener("submit", async (e) => {
  e.preventDefault();
  $("refused").textContent = "";
  try {
    await post("login", { username: $("username").value, password: $("password").value });
    $("password").value = "";
    await start();
  } catch (err) {
    $("refused").textContent = err.message[0].toUpperCase() + err.message.slice(1) + ".";
    $("password").select();
  }
});
$("logout").addEventListener("click", async () => {
  await post("logout");
  await start();
});
addEventListener("locked", () => !$("top").hidden && start());

// --- light and dark ---

const modes = ["auto", "light", "dark"];
function theme(mode) {
  localStorage.setItem("sockeye theme", mode);
  if (mode === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = mode;
  $("theme").textContent = { auto: "◐", light: "☀", dark: "☾" }[mode];
  $("theme").title = `Theme: ${mode} (t)`;
  view?.redraw?.();
}
const nextTheme = () => theme(modes[(modes.indexOf(localStorage.getItem("sockeye theme") ?? "auto") + 1) % 3]);
$("theme").addEventListener("click", nextTheme);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => view?.redraw?.());
theme(modes.includes(localStorage.getItem("sockeye theme")) ? localStorage.getItem("sockeye theme") : "auto");

// --- keys ---

function select(step) {
  const rows = [...$("main").querySelectorAll("tbody tr[data-href]")];
  if (!rows.length) return;
  const at = rows.findIndex((r) => r.classList.contains("selected"));
  rows[at]?.classList.remove("selected");
  const row = rows[Math.max(0, Math.min(rows.length - 1, at + step))] ?? rows[0];
  row.classList.add("selected");
  row.scrollIntoView({ block: "nearest" });
}

const keys = [
  ["/", "find", () => $("q").focus()],
  ["j", "next row", () => select(1)],
  ["k", "row before", () => select(-1)],
  ["Enter", "open the row", () => { const r = $("main").querySelector("tr.selected[data-href]"); if (r) location.hash = r.dataset.href; }],
  ["Backspace", "back", () => history.back()],
  ["l", "listen to the socket, or stop", () => view?.keys?.l?.()],
  ["t", "light, dark or as the system", nextTheme],
  ["?", "these keys", () => $("help").showModal()],
  ...pages.map(([path, name], i) => [String(i + 1), name, () => (location.hash = `#/${path}`)]),
];
$("keys").replaceChildren(...keys.flatMap(([key, what]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, what)]));
$("help-open").addEventListener("click", () => $("help").showModal());
addEventListener("keydown", (e) => {
  const typing = e.target.matches("input, textarea, select");
  if (e.key === "Escape" && typing) e.target.blur();
  if (typing || e.ctrlKey || e.metaKey || e.altKey || me?.access === "none" || document.querySelector("dialog[open]")) return;
  if (e.key === "Enter" && e.target.matches("button, a")) return;
  const key = keys.find(([k]) => k === e.key);
  if (key) {
    e.preventDefault();
    key[2]();
  }
});

start();
