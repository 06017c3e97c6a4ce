import { $, params, connect, element, hue } from "./common.js";
import { Client, diff, movePosition } from "./ot.js";

const socket = connect({ autoConnect: false });
const me = crypto.randomUUID?.() ?? String(Math.random()); // randomUUID wants https or localhost
const docId = decodeURIComponent(location.hash.slice(1)) || params.get("doc") || "welcome";
const name = params.get("name") || localStorage.getItem("name") || `guest ${Math.floor(Math.random() * 1000)}`;
const text = $("text");
let client; // of ot.js, once there is a document
const others = new Map(); // id -> {name, position, anchor}

$("document").value = docId;
$("name").value = name;
addEventListener("hashchange", () => location.reload());
$("document").addEventListener("change", () => (location.hash = encodeURIComponent($("document").value.trim() || "welcome")));
$("name").addEventListener("change", () => {
  localStorage.setItem("name", $("name").value);
  location.reload();
});

const join = () => socket.emit("join document", { docId, name, client: me, since: client?.version });
socket.on("connect", join);
socket.on("connect", () => text.toggleAttribute("readonly", false));

socket.on("document state", (state) => {
  if (state.resume) {
    for (const done of state.missed ?? []) receive(done);
    for (const message of client.again()) send(message);
  } else {
    if (client?.pending) note("You were away too long: what you typed meanwhile is not in the document");
    client = new Client(me, state.content, state.version, client);
    show(state.content, text.selectionStart, text.selectionEnd);
  }
  people(state.participants);
  status();
});
socket.on("sync required", ({ currentVersion, content }) => {
  client = new Client(me, content, currentVersion, client);
  show(content, text.selectionStart, text.selectionEnd);
  note("You were too far behind and have the text of now");
  join();
});
socket.on("operation error", note);

// Here and there at once: the text changes as it is typed, and what others typed
// meanwhile is fitted in as it comes.
text.addEventListener("input", () => {
  const ops = diff(client.text, text.value, text.selectionStart);
  if (!ops.length) return;
  for (const message of client.edit(ops)) send(message);
  for (const op of ops) moveOthers(op);
  status();
});

function send(message) {
  // What is typed offline waits in the client and is sent by again().
  if (socket.connected) socket.emit("operation", { docId, ...message });
}

socket.on("operation", (done) => {
  if (client) receive(done);
  status();
});
socket.on("operation applied", ({ seq, version }) => {
  client?.answered(seq, version);
  status();
});

function receive(done) {
  let { selectionStart: start, selectionEnd: end } = text;
  const changes = client.receive(done);
  for (const op of changes) {
    start = movePosition(start, op);
    end = movePosition(end, op);
    moveOthers(op);
  }
  if (changes.length) show(client.text, start, end);
}

function show(value, start, end) {
  const { scrollTop, selectionDirection } = text;
  text.value = value;
  text.setSelectionRange(start, end, selectionDirection);
  text.scrollTop = scrollTop;
  drawCursors();
}

function undo() {
  if (!client?.canUndo) return;
  let caret = text.selectionStart;
  const sent = client.undo();
  for (const { operation: op } of sent) {
    caret = op.position + (op.text?.length ?? 0);
    moveOthers(op);
  }
  show(client.text, caret, caret);
  for (const message of sent) send(message);
  status();
}
$("undo").addEventListener("click", undo);
// The browser's own undo would take back what others did, too.
text.addEventListener("beforeinput", (e) => {
  if (e.inputType !== "historyUndo" && e.inputType !== "historyRedo") return;
  e.preventDefault();
  if (e.inputType === "historyUndo") undo();
});
text.addEventListener("keydown", (e) => {
  if ((e.ctrlKey || e.metaKey) && !e.shiftKey && e.key.toLowerCase() === "z") {
    e.preventDefault();
    undo();
  }
});

// Cursors and selections of the others, drawn on a copy of the text that lies behind.
let told = "";
document.addEventListener("selectionchange", () => {
  if (document.activeElement !== text || !socket.connected) return;
  const forward = text.selectionDirection !== "backward";
  const position = forward ? text.selectionEnd : text.selectionStart;
  const anchor = forward ? text.selectionStart : text.selectionEnd;
  if (told === `${position} ${anchor}`) return;
  told = `${position} ${anchor}`;
  socket.emit("cursor position", { docId, position, anchor });
});
socket.on("cursor update", ({ userId, name, position, anchor }) => {
  others.set(userId, { name, position, anchor });
  drawCursors();
});
function moveOthers(op) {
  for (const o of others.values()) {
    o.position = movePosition(o.position, op);
    o.anchor = movePosition(o.anchor, op);
  }
  drawCursors();
}
function drawCursors() {
  const value = text.value;
  const marks = [];
  for (const [id, o] of others) {
    const from = Math.min(o.position, o.anchor), to = Math.max(o.position, o.anchor);
    marks.push({ at: Math.min(o.position, value.length), caret: o, id });
    if (to > from) marks.push({ at: Math.min(from, value.length), open: id }, { at: Math.min(to, value.length), close: id });
  }
  marks.sort((a, b) => a.at - b.at);
  const parts = [];
  const selected = new Set();
  let last = 0;
  const put = (s) => {
    if (!s) return;
    const [by] = selected;
    const span = element("span", by ? "selected" : "", s);
    if (by) span.style.setProperty("--hue", hue(others.get(by).name));
    parts.push(span);
  };
  for (const m of marks) {
    put(value.slice(last, m.at));
    last = m.at;
    if (m.open) selected.add(m.open);
    else if (m.close) selected.delete(m.close);
    else {
      const c = element("span", "caret");
      c.append(element("b", "", m.caret.name));
      c.style.setProperty("--hue", hue(m.caret.name));
      parts.push(c);
    }
  }
  put(value.slice(last));
  $("behind").replaceChildren(...parts, "\n");
  $("behind").scrollTop = text.scrollTop;
}
text.addEventListener("scroll", () => ($("behind").scrollTop = text.scrollTop));

function people(list) {
  for (const id of others.keys()) if (!list.some((p) => p.id === id)) others.delete(id);
  $("people").replaceChildren(...list.map((p) => {
    const li = element("li", p.id === socket.id ? "me" : "", p.name);
    li.style.setProperty("--hue", hue(p.name));
    return li;
  }));
  drawCursors();
}
socket.on("participants", people);

function status() {
  $("version").textContent = `version ${client?.version ?? 0}`;
  $("pending").textContent = client?.pending ? `${client.pending} on the way` : "all saved";
  $("undo").disabled = !client?.canUndo;
}
socket.on("disconnect", status);

let noteEnds;
function note(message) {
  $("note").textContent = message;
  clearTimeout(noteEnds);
  noteEnds = setTimeout(() => ($("note").textContent = ""), 8000);
}

socket.connect();
