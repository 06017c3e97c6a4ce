import { $, connect, element, button } from "./common.js";

const name = sessionStorage.name ??= "visitor " + Math.floor(Math.random() * 900 + 100);
$("me").textContent = name;
const socket = connect({ auth: { name } });

const counts = { received: 0, lost: 0, twice: 0, moves: 0, recovered: 0 };
const count = (what, by = 1) => ($(what).textContent = counts[what] += by);

const log = (text) => {
  $("log").prepend(element("li", "", `${new Date().toLocaleTimeString()} ${text}`));
  while ($("log").children.length > 30) $("log").lastChild.remove();
};

// Each start of a node counts its events from 1. From the first that was seen on,
// none may be missing, as long as the session is the same.
let next = new Map();
const heard = new Map(); // node -> when
socket.on("tick", ({ node, boot, seq }) => {
  heard.set(node, performance.now());
  count("received");
  const key = `${node} ${boot}`;
  const want = next.get(key) ?? seq;
  if (seq < want) return count("twice");
  if (seq > want) count("lost", seq - want);
  next.set(key, seq + 1);
});
socket.on("said", ({ name, node, text }) => log(`${name}, on ${node}: ${text}`));

let mine;
async function look() {
  if (!socket.connected) return;
  const c = await socket.timeout(4000).emitWithAck("look").catch(() => null);
  if (!c) return;
  if (mine && mine !== c.node) log(`moved from ${mine} to ${c.node}`);
  mine = c.node;
  $("mine").textContent = mine;
  $("nodes").replaceChildren(...c.nodes.map((node) => {
    const here = c.visitors.filter((v) => v.node === node);
    const away = performance.now() - (heard.get(node) ?? 0) > 3000;
    const li = element("li", (node === mine ? "mine " : "") + (away ? "away" : ""));
    const title = element("h2", "", away ? `${node}, away` : node);
    title.append(button("kill", () => socket.emit("kill", node)));
    const list = element("ul");
    for (const v of here) list.append(element("li", "", v.id === socket.id ? `${v.name} (you)` : v.name));
    li.append(title, list);
    return li;
  }));
}
socket.on("connect", () => {
  if (mine) {
    count("moves");
    if (socket.recovered) count("recovered");
    else next = new Map(); // a new session has no claim on what was before
  }
  look();
});
setInterval(look, 1000);

$("say-form").addEventListener("submit", (e) => {
  e.preventDefault();
  if ($("say").value) socket.emit("say", $("say").value);
  $("say").value = "";
});
