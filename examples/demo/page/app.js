import { $, connect, bytes } from "./common.js";

const socket = connect();

async function look() {
  if (!socket.connected) return;
  const start = performance.now();
  const s = await socket.timeout(5000).emitWithAck("stats").catch(() => null);
  if (!s) return;
  $("latency").textContent = `${(performance.now() - start).toFixed(1)} ms`;
  $("connections").textContent = s.connections;
  $("heap").textContent = bytes(s.heap);
  $("goroutines").textContent = s.goroutines;
  $("frames").textContent = s.frames ? `${s.frameP99.toFixed(1)} ms` : "–";
  const m = Math.floor(s.uptime / 60);
  $("uptime").textContent = m ? `${m} min` : `${Math.floor(s.uptime)} s`;
  for (const e of document.querySelectorAll("[data-app]")) e.textContent = `${s.sockets[e.dataset.app] ?? 0} here`;
}
socket.on("connect", look);
setInterval(look, 1500);
