import { $, params, connect, element, button, bytes } from "./common.js";
import { DOWN, HEIGHT, LEFT, RADIUS, RATE, RIGHT, UP, WIDTH, move, parse } from "./world.js";

const socket = connect({ autoConnect: false });
const name = params.get("name") || `salmon ${Math.floor(Math.random() * 100)}`;
let game = null; // {id, you, token, slot, players, state}

// --- Coming and going

socket.on("connect", () => {
  // Who was cut off comes back with the token, within the grace time.
  if (game && game.state !== "over") join(game.id, game.token);
  else refreshList();
});
const join = (gameId, token) => socket.emit("join game", { gameId, name, binary: true, token });
$("create").addEventListener("click", () => socket.emit("create game", { type: "eggs", maxPlayers: 8 }));
$("practice").addEventListener("click", () => {
  readyAtOnce = true;
  socket.emit("create game", { type: "eggs", maxPlayers: 6, bots: 5 });
});
let readyAtOnce = false;
socket.on("game created", ({ gameId }) => join(gameId));
$("ready").addEventListener("click", () => {
  socket.emit("player ready");
  $("ready").disabled = true;
});
$("leave").addEventListener("click", () => {
  socket.emit("leave game");
  lobby();
});
socket.on("error", ({ code, message }) => {
  $("note").textContent = message;
  if (code === "not_found" || code === "running") lobby();
});

socket.on("game state", (state) => {
  const me = state.players.find((p) => p.id === state.you);
  game = { id: state.gameId, you: state.you, token: state.token, slot: me.slot, players: state.players, state: state.state };
  keys.clear();
  frames.length = 0;
  mine = { x: me.x, y: me.y };
  $("lobby").hidden = true;
  $("game").hidden = false;
  $("ready").disabled = me.ready;
  $("invite").value = `${location.origin}${location.pathname}?game=${game.id}`;
  showPlayers();
  if (readyAtOnce) $("ready").click();
  readyAtOnce = false;
});
socket.on("player joined", ({ player }) => {
  if (!game) return;
  const i = game.players.findIndex((p) => p.id === player.id);
  if (i < 0) game.players.push(player);
  else game.players[i] = player;
  showPlayers();
});
socket.on("player away", (id) => mark(id, { away: true }));
socket.on("player left", (id) => {
  if (!game) return;
  if (game.state === "waiting") game.players = game.players.filter((p) => p.id !== id).map((p, slot) => ({ ...p, slot }));
  else mark(id, { away: true });
  game.slot = game.players.find((p) => p.id === game.you)?.slot;
  showPlayers();
});
function mark(id, change) {
  const p = game?.players.find((p) => p.id === id);
  if (p) Object.assign(p, change);
  showPlayers();
}
socket.on("game started", () => {
  game.state = "running";
  showPlayers();
});
socket.on("game over", ({ players }) => {
  game.state = "over";
  $("result").replaceChildren(...players.map((p) => element("li", "", `${p.name}: ${p.score}`)));
  $("over").showModal();
});
$("over").addEventListener("close", lobby);

function lobby() {
  game = null;
  $("lobby").hidden = false;
  $("game").hidden = true;
  refreshList();
}
async function refreshList() {
  if (game || !socket.connected) return;
  const list = await socket.timeout(5000).emitWithAck("list games").catch(() => []);
  $("games").replaceChildren(...list.map((g) => {
    const li = element("li");
    li.append(element("span", "grow", `${g.gameId}, ${g.players} of ${g.maxPlayers} players`), button("Join", () => join(g.gameId), "tiny"));
    return li;
  }));
  $("none").hidden = list.length > 0;
}
setInterval(refreshList, 3000);

const hueOf = (slot) => (10 + slot * 137.5) % 360; // far apart, however many

function showPlayers() {
  if (!game) return;
  document.body.dataset.state = game.state;
  $("players").replaceChildren(...game.players.map((p) => {
    const note = game.state === "waiting" ? (p.ready ? "ready" : "…") : p.away ? "away" : String(p.score ?? 0);
    const li = element("li", p.id === game.you ? "me" : "");
    li.style.setProperty("--hue", hueOf(p.slot));
    li.append(element("span", "grow", p.name), element("b", "", note));
    return li;
  }));
}

// --- What is held down, told 20 times a second and at each change

let held = 0, seq = 0, lastSent = 0, pointer = null;
const codes = { ArrowUp: UP, KeyW: UP, ArrowDown: DOWN, KeyS: DOWN, ArrowLeft: LEFT, KeyA: LEFT, ArrowRight: RIGHT, KeyD: RIGHT };
addEventListener("keydown", (e) => {
  if (codes[e.code] && game) (held |= codes[e.code]), e.preventDefault();
});
addEventListener("keyup", (e) => (held &= ~(codes[e.code] ?? 0)));
addEventListener("blur", () => (held = 0));
const canvas = $("world"), ctx = canvas.getContext("2d");
for (const kind of ["pointerdown", "pointermove"]) {
  canvas.addEventListener(kind, (e) => {
    if (kind === "pointerdown") canvas.setPointerCapture(e.pointerId);
    if (e.buttons) pointer = { x: (e.offsetX / canvas.clientWidth) * WIDTH, y: (e.offsetY / canvas.clientHeight) * HEIGHT };
  });
}
for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, () => (pointer = null));

function keysNow() {
  if (!pointer || !mine) return held;
  let k = 0;
  if (pointer.x > mine.x + 12) k |= RIGHT;
  if (pointer.x < mine.x - 12) k |= LEFT;
  if (pointer.y > mine.y + 12) k |= DOWN;
  if (pointer.y < mine.y - 12) k |= UP;
  return k;
}

// --- Prediction: one's own salmon moves at once. Each step is remembered with the
// input that was valid, and when the server says where it was so many steps after
// which input, the steps since then are done again from there.

let mine = null;
let steps = []; // {seq, keys}
function predict() {
  const now = keysNow();
  if (now !== predict.last || performance.now() - lastSent >= 50) {
    predict.last = now;
    lastSent = performance.now();
    seq = (seq + 1) & 0xffff || 1;
    socket.volatile.emit("input", seq, now);
  }
  steps.push({ seq, keys: now });
  if (steps.length > 3 * RATE) steps.shift();
  mine = move(mine, now);
}
function reconcile(p) {
  const first = steps.findIndex((s) => s.seq === p.input);
  if (first < 0) {
    if (!steps.length || p.input === 0) mine = { x: p.x, y: p.y };
    return;
  }
  let at = { x: p.x, y: p.y };
  for (const s of steps.slice(first + p.age)) at = move(at, s.keys);
  // Small differences, of a frame more or less, are smoothed away.
  const far = Math.hypot(at.x - mine.x, at.y - mine.y);
  const share = far > 120 ? 1 : 0.2;
  mine = { x: mine.x + (at.x - mine.x) * share, y: mine.y + (at.y - mine.y) * share };
  steps.splice(0, Math.max(0, first - 1));
}

// --- Interpolation: the others are shown 100 ms ago, between two frames that are here.

const keys = new Map(); // whole snapshots by tick
const frames = []; // {at, frame}
const DELAY = 100;
let clockOffset = null; // of the local clock to that of the ticks
let received = 0, count = 0;
socket.on("snapshot", (data) => {
  received += data.byteLength + 61; // with the packet and the frames around it
  count++;
  if (!game) return;
  const frame = parse(data, keys);
  if (!frame) return;
  if (frame.whole) {
    keys.set(frame.tick, frame);
    for (const tick of keys.keys()) if (tick < frame.tick - 120) keys.delete(tick);
  }
  const local = performance.now() - (frame.tick * 1000) / RATE;
  clockOffset = clockOffset === null || Math.abs(local - clockOffset) > 500 ? local : clockOffset + (local - clockOffset) * 0.05;
  frames.push(frame);
  if (frames.length > 30) frames.shift();
  let changed = false;
  frame.players.forEach((p, slot) => {
    const known = game.players.find((k) => k.slot === slot);
    if (known && (known.score !== p.score || !!known.away !== p.away)) {
      Object.assign(known, { score: p.score, away: p.away });
      changed = true;
    }
  });
  if (changed) showPlayers();
  const own = frame.players[game.slot];
  if (own && game.state === "running") reconcile(own);
  $("clock").textContent = `${Math.max(0, 120 - Math.floor(frame.tick / RATE))} s`;
});
setInterval(() => {
  $("rate").textContent = `${bytes(received)}/s, ${count} snapshots/s`;
  received = count = 0;
}, 1000);

function between() {
  const tick = ((performance.now() - clockOffset - DELAY) * RATE) / 1000;
  let after = frames.findIndex((f) => f.tick > tick);
  if (after < 0) return frames.at(-1);
  if (after === 0) return frames[0];
  const a = frames[after - 1], b = frames[after];
  const t = (tick - a.tick) / (b.tick - a.tick);
  return {
    ...b,
    players: b.players.map((p, i) => {
      const q = a.players[i] ?? p;
      return { ...p, x: q.x + (p.x - q.x) * t, y: q.y + (p.y - q.y) * t };
    }),
  };
}

// --- Drawing

const facing = new Map();
function salmon(x, y, h, me, away, id) {
  const was = facing.get(id) ?? { x, y, a: 0 };
  if (Math.hypot(x - was.x, y - was.y) > 0.5) was.a = Math.atan2(y - was.y, x - was.x);
  facing.set(id, { x, y, a: was.a });
  ctx.save();
  ctx.translate(x, y);
  ctx.globalAlpha = away ? 0.35 : 1;
  ctx.rotate(was.a);
  if (Math.abs(was.a) > Math.PI / 2) ctx.scale(1, -1);
  ctx.fillStyle = `hsl(${h} 65% 55%)`;
  ctx.beginPath();
  ctx.ellipse(0, 0, RADIUS * 1.25, RADIUS * 0.6, 0, 0, 7);
  ctx.moveTo(-RADIUS, 0);
  ctx.lineTo(-RADIUS * 1.8, -RADIUS * 0.6);
  ctx.lineTo(-RADIUS * 1.8, RADIUS * 0.6);
  ctx.fill();
  if (me) {
    ctx.lineWidth = 4;
    ctx.strokeStyle = ink;
    ctx.stroke();
  }
  ctx.fillStyle = "#fff";
  ctx.beginPath();
  ctx.arc(RADIUS * 0.75, -RADIUS * 0.15, 5, 0, 7);
  ctx.fill();
  ctx.restore();
}
let ink = "#000", soft = "#777", egg = "#f60";
const scheme = matchMedia("(prefers-color-scheme: dark)");
function colours() {
  const style = getComputedStyle(document.documentElement);
  [ink, soft, egg] = ["--ink", "--soft", "--sockeye"].map((v) => style.getPropertyValue(v));
}
scheme.addEventListener("change", colours);
colours();

function draw() {
  const ratio = Math.min(2, devicePixelRatio || 1);
  const w = Math.round(canvas.clientWidth * ratio), h = Math.round((w * HEIGHT) / WIDTH);
  if (canvas.width !== w || canvas.height !== h) (canvas.width = w), (canvas.height = h);
  ctx.setTransform(w / WIDTH, 0, 0, w / WIDTH, 0, 0);
  ctx.clearRect(0, 0, WIDTH, HEIGHT);
  const frame = frames.length ? between() : null;
  for (const e of frame?.eggs ?? []) {
    ctx.fillStyle = egg;
    ctx.globalAlpha = 0.85;
    ctx.beginPath();
    ctx.arc(e.x, e.y, 9, 0, 7);
    ctx.fill();
  }
  ctx.globalAlpha = 1;
  ctx.textAlign = "center";
  const size = Math.max(24, (13 * WIDTH) / canvas.clientWidth); // 13 pixels on a phone, too
  ctx.font = `600 ${size}px system-ui, sans-serif`;
  for (const p of game.players) {
    const me = p.id === game.you;
    const at = me && mine ? mine : (frame?.players[p.slot] ?? p);
    salmon(at.x, at.y, hueOf(p.slot), me, p.away, p.id);
    ctx.fillStyle = me ? ink : soft;
    ctx.fillText(p.name, at.x, Math.max(size, at.y - RADIUS - 10));
  }
}

// The page steps at the same fixed rate as the server, however often it draws.
let due = performance.now();
function tick(now) {
  requestAnimationFrame(tick);
  if (!game) return void (due = now);
  for (due = Math.max(due, now - 250); due <= now; due += 1000 / RATE) if (game.state === "running" && socket.connected) predict();
  draw();
}
requestAnimationFrame(tick);

if (params.has("game")) socket.once("connect", () => join(params.get("game")));
socket.connect();
