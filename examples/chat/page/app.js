import { io } from "/socket.io/socket.io.esm.min.js";

const $ = (id) => document.getElementById(id);
const params = new URLSearchParams(location.search);

// ?transports=polling or ?transports=websocket shows the chat over one of them.
const socket = io({ transports: (params.get("transports") ?? "polling,websocket").split(","), autoConnect: false });
let name = "";
let room = "lobby";

// Text only, wherever it comes from: nothing a user types becomes markup.
function element(tag, className, text) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
}

function keep(list, item, max) {
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  list.append(item);
  while (list.children.length > max) list.firstChild.remove();
  if (atEnd) list.scrollTop = list.scrollHeight;
}

function note(text, bad) {
  keep($("messages"), element("li", bad ? "note bad" : "note", text), 500);
}

function show(m) {
  const li = element("li", m.username === name ? "mine" : "");
  const by = element("span", "by");
  by.append(element("b", "", m.username), ` ${new Date(m.timestamp).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`);
  li.append(by, m.message);
  keep($("messages"), li, 500);
}

function replay(messages) {
  $("messages").replaceChildren();
  messages.forEach(show);
  $("messages").scrollTop = $("messages").scrollHeight;
}

// The strip: what passes, newest first.
let packets = 0;
function wire(direction, text) {
  if (direction !== "step") $("count").textContent = String(++packets);
  $("wire").prepend(element("li", direction, { in: "← ", out: "→ ", step: "· " }[direction] + text));
  while ($("wire").children.length > 60) $("wire").lastChild.remove();
}
const brief = (event, args) => `${event} ${JSON.stringify(args).slice(1, -1)}`.slice(0, 120);
socket.onAny((event, ...args) => wire("in", brief(event, args)));
socket.onAnyOutgoing((event, ...args) => event !== "server time" && wire("out", brief(event, args)));

function transport() {
  $("transport").textContent = socket.io.engine?.transport?.name ?? "none";
}

function online(yes) {
  $("state").textContent = yes ? "online" : "offline";
  $("state").className = yes ? "pill on" : "pill off";
  for (const e of $("say-form").elements) e.disabled = !yes;
}

socket.on("connect", () => {
  online(true);
  transport();
  wire("step", `connected over ${$("transport").textContent}`);
  socket.io.engine.on("upgrade", () => {
    transport();
    wire("step", `upgraded to ${$("transport").textContent}`);
  });
  socket.emit("user join", { username: name });
  if (room !== "lobby") enter(room);
});
socket.on("disconnect", (reason) => {
  online(false);
  $("transport").textContent = "none";
  wire("step", `disconnected: ${reason}`);
  note("Connection lost, trying to come back …", true);
});
socket.on("connect_error", (err) => {
  online(false);
  wire("step", `connect error: ${err.message}`);
});
socket.on("message history", replay);
socket.on("chat message", (m) => {
  typists.delete(m.username);
  showTyping();
  show(m);
});
socket.on("user joined", ({ username }) => note(`${username} is here`));
socket.on("user left", ({ username }) => note(`${username} has left`));
let people = [];
function showPeople() {
  $("users").replaceChildren(...people.map((u) => element("li", u.room === room ? "" : "elsewhere", u.room === room ? u.username : `${u.username} in ${u.room}`)));
}
socket.on("user list", (list) => {
  people = list;
  showPeople();
});
socket.on("error", ({ message }) => note(message, true));

const typists = new Set();
function showTyping() {
  const who = [...typists];
  $("typing").textContent = who.length === 0 ? "" : who.length < 3 ? `${who.join(" and ")} typing …` : `${who.length} people typing …`;
}
socket.on("user typing", ({ username, isTyping }) => {
  typists[isTyping ? "add" : "delete"](username);
  showTyping();
});

let typingEnds;
$("say").addEventListener("input", () => {
  if (typingEnds === undefined) socket.emit("typing", true);
  clearTimeout(typingEnds);
  typingEnds = setTimeout(stopTyping, 1500);
});
function stopTyping() {
  if (typingEnds === undefined) return;
  clearTimeout(typingEnds);
  typingEnds = undefined;
  socket.emit("typing", false);
}

$("say-form").addEventListener("submit", (e) => {
  e.preventDefault();
  const message = $("say").value;
  if (!message.trim()) return;
  stopTyping();
  socket.emit("chat message", { message });
  $("say").value = "";
});

async function enter(next) {
  const messages = await socket.emitWithAck("join room", next);
  room = next;
  showPeople();
  replay(messages);
  note(`You are in ${room}`);
}
$("room-form").addEventListener("submit", (e) => {
  e.preventDefault();
  if ($("room").value.trim()) enter($("room").value.trim()).catch((err) => note(err.message, true));
});

setInterval(async () => {
  if (!socket.connected) return;
  const start = performance.now();
  try {
    await socket.timeout(5000).emitWithAck("server time");
    $("latency").textContent = `${(performance.now() - start).toFixed(1)} ms`;
  } catch {
    $("latency").textContent = "–";
  }
}, 2000);

function start(as) {
  name = as;
  socket.connect();
  $("say").focus();
}
if (params.has("name")) {
  start(params.get("name"));
} else {
  $("who").addEventListener("cancel", (e) => e.preventDefault());
  $("name-form").addEventListener("submit", () => start($("name").value.trim() || "somebody"));
  $("who").showModal();
}
