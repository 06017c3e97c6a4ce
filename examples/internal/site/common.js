// What the pages of the examples share.
import { io } from "/socket.io/socket.io.esm.min.js";

export const $ = (id) => document.getElementById(id);
export const params = new URLSearchParams(location.search);

// Alone, a page is at / and so is its namespace. In the demo it is at /chat/ and so on,
// and its namespace has the same name. ?transports=polling shows it over that alone.
export function connect(options = {}) {
  const namespace = location.pathname.replace(/\/[^/]*$/, "") || "/";
  if (params.has("transports")) options.transports = params.get("transports").split(",");
  // A cluster has one node for all users of a page that keeps its state in a process.
  options.query = { page: namespace, ...options.query };
  const socket = io(namespace, options);
  let restarting = false; // the server has said that it ends on purpose
  const show = (yes) => {
    if (yes) restarting = false;
    $("state").textContent = yes ? "online" : restarting ? "server restarts" : "offline";
    $("state").className = yes ? "pill on" : "pill off";
    document.body.classList.toggle("offline", !yes);
  };
  socket.on("server restarting", () => (restarting = true));
  socket.on("connect", () => show(true));
  socket.on("disconnect", () => show(false));
  socket.on("connect_error", () => show(false));
  return socket;
}

// Text only, wherever it comes from: nothing a user types becomes markup.
export function element(tag, className, text) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
}

export function button(label, onclick, className = "quiet tiny") {
  const b = element("button", className, label);
  b.type = "button";
  b.addEventListener("click", onclick);
  return b;
}

// The hue of a name: the same for everybody who sees it.
export function hue(name) {
  let h = 0;
  for (const c of name) h = (h * 31 + c.codePointAt(0)) % 360;
  return h;
}

export const bytes = (n) => (n < 1e3 ? `${n} B` : n < 1e6 ? `${(n / 1e3).toFixed(1)} kB` : `${(n / 1e6).toFixed(1)} MB`);
