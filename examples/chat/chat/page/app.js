import { $, params, connect, element, button } from "./common.js";

const socket = connect({ autoConnect: false });
let name = "";
let room = "lobby";
let people = [];

function keep(list, item, max) {
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  list.append(item);
  while (list.children.length > max) list.firstChild.remove();
  if (atEnd) list.scrollTop = list.scrollHeight;
}

function note(text, bad) {
  keep($("messages"), element("li", bad ? "note bad" : "note", text), 500);
}

const time = (ms) => new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

function bubble(m) {
  const mine = m.userId === socket.id;
  const li = element("li", mine ? "mine" : "");
  li.dataset.id = m.id;
  const by = element("span", "by");
  by.append(element("b", "", m.username), ` ${time(m.timestamp)}${m.edited ? " · edited" : ""}`);
  li.append(by, m.message);
  if (mine) {
    const tools = element("span", "tools");
    tools.append(
      button("edit", () => startEdit(m)),
      button("delete", () => socket.emit("delete message", m.id)),
    );
    li.append(tools);
  }
  return li;
}
const bubbleOf = (id) => [...$("messages").children].find((li) => li.dataset.id === id);

function replay(messages) {
  $("messages").replaceChildren(...messages.map(bubble));
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

socket.on("connect", () => {
  for (const e of $("say-form").elements) e.disabled = false;
  transport();
  wire("step", `connected over ${$("transport").textContent}${socket.recovered ? ", recovered" : ""}`);
  socket.io.engine.on("upgrade", () => {
    transport();
    wire("step", `upgraded to ${$("transport").textContent}`);
  });
  // A socket that was recovered is who it was, and what it missed has come already.
  if (socket.recovered) return note("Back again, nothing lost");
  socket.emit("user join", { username: name });
  if (room !== "lobby") enter(room).catch((err) => note(err.message, true));
});
socket.on("disconnect", (reason) => {
  for (const e of $("say-form").elements) e.disabled = true;
  $("transport").textContent = "none";
  wire("step", `disconnected: ${reason}`);
  note("Connection lost, trying to come back …", true);
});
socket.on("connect_error", (err) => wire("step", `connect error: ${err.message}`));
socket.on("message history", replay);
socket.on("chat message", (m) => {
  typists.delete(m.username);
  showTyping();
  keep($("messages"), bubble(m), 500);
});
socket.on("message edited", (m) => bubbleOf(m.id)?.replaceWith(bubble(m)));
socket.on("message deleted", ({ id }) => bubbleOf(id)?.remove());
socket.on("private message", ({ from, to, message, timestamp }) => {
  const li = element("li", from.id === socket.id ? "mine private" : "private");
  const by = element("span", "by");
  by.append(element("b", "", from.id === socket.id ? `you to ${to.username}` : `${from.username}, to you alone`), ` ${time(timestamp)}`);
  li.append(by, message);
  keep($("messages"), li, 500);
});
socket.on("user joined", ({ username }) => note(`${username} is here`));
socket.on("user left", ({ username }) => note(`${username} has left`));
socket.on("error", ({ message }) => note(message, true));

function showPeople() {
  $("users").replaceChildren(...people.map((u) => {
    const li = element("li", u.room === room ? "" : "elsewhere");
    li.append(element("span", "", u.room === room ? u.username : `${u.username} in ${u.room}`));
    if (u.id !== socket.id) li.append(button("whisper", () => startWhisper(u)));
    return li;
  }));
}
socket.on("user list", (list) => {
  people = list;
  $("people").textContent = String(list.length);
  showPeople();
});

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
  if (mode) return;
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

// The one input says, edits or whispers.
let mode;
function setMode(next, label, value) {
  mode = next;
  $("mode").hidden = !next;
  $("mode-label").textContent = label ?? "";
  $("say").value = value ?? "";
  $("say").focus();
}
const startEdit = (m) => setMode({ event: "edit message", data: { id: m.id } }, "Editing your message", m.message);
const startWhisper = (u) => setMode({ event: "private message", data: { to: u.id } }, `To ${u.username} alone`);
$("mode-end").addEventListener("click", () => setMode());
$("say").addEventListener("keydown", (e) => e.key === "Escape" && setMode());

$("say-form").addEventListener("submit", (e) => {
  e.preventDefault();
  const message = $("say").value;
  if (!message.trim()) return;
  stopTyping();
  socket.emit(mode?.event ?? "chat message", { ...mode?.data, message });
  setMode();
});

async function enter(next) {
  const messages = await socket.emitWithAck("join room", next);
  if (messages.error) throw messages.error;
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
