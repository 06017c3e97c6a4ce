// Elements are made here and texts are set as texts: nothing that a client sent can
// become markup.
export const $ = (id) => document.getElementById(id);

// plain shows the characters that would turn the text around them: what a client sent
// must not look like something else.
const plain = (c) => (typeof c === "string" ? c.replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (x) => `\\u${x.charCodeAt(0).toString(16)}`) : c);

export function h(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attributes ?? {})) {
    if (v === undefined || v === null || v === false) continue;
    if (k.startsWith("on")) e.addEventListener(k.slice(2), v);
    else if (k === "class") e.className = v;
    else if (k in e && typeof v !== "string") e[k] = v;
    else e.setAttribute(k, v);
  }
  e.append(...children.flat().filter((c) => c !== undefined && c !== null && c !== false).map(plain));
  return e;
}

export function number(n) {
  if (n === undefined || n === null) return "–";
  const a = Math.abs(n);
  if (a >= 1e9) return (n / 1e9).toFixed(2) + "G";
  if (a >= 1e6) return (n / 1e6).toFixed(2) + "M";
  if (a >= 1e5) return (n / 1e3).toFixed(0) + "k";
  if (a >= 1e4) return (n / 1e3).toFixed(1) + "k";
  if (a >= 100 || Number.isInteger(n)) return n.toFixed(0);
  return n.toFixed(a >= 10 ? 1 : 2).replace(/\.?0+$/, "");
}

export function bytes(n) {
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (Math.abs(n) < 1000) return (unit === "B" || n >= 100 ? n.toFixed(0) : n.toFixed(1)) + " " + unit;
    n /= 1000;
  }
  return n.toFixed(1) + " TB";
}

export function ms(n) {
  if (!n) return "–";
  if (n >= 1000) return (n / 1000).toFixed(2) + " s";
  if (n < 0.1) return Math.max(1, Math.round(n * 1000)) + " µs";
  return (n >= 100 ? n.toFixed(0) : n >= 1 ? n.toFixed(1) : n.toFixed(2)) + " ms";
}

export function ago(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return s + " s";
  if (s < 3600) return Math.floor(s / 60) + " min";
  if (s < 86400) return Math.floor(s / 3600) + " h " + Math.floor((s % 3600) / 60) + " min";
  return Math.floor(s / 86400) + " d " + Math.floor((s % 86400) / 3600) + " h";
}

export const since = (t) => (t ? ago((Date.now() - t) / 1000) : "–");

let hide;
export function toast(text) {
  $("toast").textContent = text;
  $("toast").classList.add("shown");
  clearTimeout(hide);
  hide = setTimeout(() => $("toast").classList.remove("shown"), 4000);
}

export function ask(question, yes) {
  $("question").textContent = question;
  $("yes").textContent = yes;
  $("ask").returnValue = "";
  $("ask").showModal();
  return new Promise((resolve) =>
    $("ask").addEventListener("close", () => resolve($("ask").returnValue === "yes"), { once: true }));
}

// A table is drawn anew when its rows change; which row is selected outlives that.
// A column is [heading, (row) => text or element, class].
export function table(columns, { href, key = href, empty = "nothing yet" } = {}) {
  const body = h("tbody");
  const nothing = h("p", { class: "empty", hidden: true }, empty);
  const el = h("div", {}, h("div", { class: "scroll" }, h("table", {},
    h("thead", {}, h("tr", {}, columns.map(([name, , kind]) => h("th", { class: kind, scope: "col" }, name)))), body)), nothing);
  el.rows = (rows) => {
    const selected = body.querySelector(".selected")?.dataset.key;
    body.replaceChildren(...rows.map((row) => {
      const k = key?.(row) ?? "";
      return h("tr", { "data-href": href?.(row), "data-key": k, class: k && k === selected ? "selected" : undefined },
        columns.map(([, cell, kind]) => h("td", { class: kind, title: typeof cell(row) === "string" && cell(row).length > 30 ? cell(row) : undefined }, cell(row))));
    }));
    nothing.hidden = rows.length > 0;
    el.firstChild.hidden = rows.length === 0;
  };
  body.addEventListener("click", (e) => {
    const row = e.target.closest("tr[data-href]");
    if (row && !e.target.closest("a, button")) location.hash = row.dataset.href;
  });
  return el;
}

export const link = (route, query) => `#/${route}?${new URLSearchParams(query)}`;

// What is asked of the server has with it what only this page was told.
let proof = "";
export const prove = (text) => (proof = text ?? "");
export const address = (name, query) => `${name}?${new URLSearchParams({ ...query, proof })}`;

// get and post speak to the server; a refusal is an Error with its words.
export async function get(name, query) {
  return answer(await fetch(address(name, query)));
}

export async function post(name, body) {
  return answer(await fetch(name, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) }));
}

async function answer(res) {
  const body = await res.json().catch(() => ({ error: res.statusText }));
  if (!res.ok) {
    const e = new Error(body.error ?? res.statusText);
    e.status = res.status;
    if (res.status === 401) dispatchEvent(new Event("locked"));
    throw e;
  }
  return body;
}
