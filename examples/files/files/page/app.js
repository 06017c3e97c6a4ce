import { $, connect, element, button, bytes } from "./common.js";

const socket = connect({ autoConnect: false });
const WINDOW = 3; // pieces under way at once: the backpressure

// ask is emitWithAck whose error is thrown.
async function ask(event, ...args) {
  const answer = await socket.timeout(30_000).emitWithAck(event, ...args);
  if (answer?.error) throw Object.assign(new Error(answer.error.message), { code: answer.error.code });
  return answer;
}

const hex = (buffer) => [...new Uint8Array(buffer)].map((b) => b.toString(16).padStart(2, "0")).join("");
// crypto.subtle is there on https and on localhost only; elsewhere nothing is compared.
const sha256 = async (buffer) => (globalThis.crypto?.subtle ? hex(await crypto.subtle.digest("SHA-256", buffer)) : "");
const MAX_HASHED = 64 << 20; // it wants all in memory at once

const online = () => (socket.connected ? Promise.resolve() : new Promise((done) => socket.once("connect", done)));

// A transfer is a line with a bar. It goes on by itself after a cut, from where it was.
class Transfer {
  paused = false;
  over = false;
  offset = 0;
  waiting = []; // workers, for the end of the pause
  constructor(title, size) {
    this.size = size;
    this.started = performance.now();
    this.li = element("li", "transfer");
    this.bar = element("progress");
    this.bar.max = size || 1;
    this.note = element("span", "soft", "…");
    this.pauser = button("Pause", () => this.pause(!this.paused));
    this.canceller = button("Cancel", () => this.cancel());
    this.li.append(element("span", "name", title), this.bar, this.note, this.pauser, this.canceller);
    $("transfers").prepend(this.li);
  }
  pause(yes) {
    this.paused = yes;
    this.pauser.textContent = yes ? "Resume" : "Pause";
    this.show();
    if (!yes) for (const resume of this.waiting.splice(0)) resume();
  }
  cancel() {
    this.over = true;
    this.pause(false);
    this.cancelled?.();
    this.li.remove();
  }
  show() {
    this.bar.value = this.offset;
    const seconds = (performance.now() - this.started) / 1000;
    this.note.textContent = this.paused ? `paused at ${bytes(this.offset)}` : `${bytes(this.offset)} of ${bytes(this.size)}, ${bytes(Math.round(this.offset / seconds))}/s`;
  }
  end(message, bad) {
    this.over = true;
    this.bar.hidden = true;
    this.pauser.remove();
    this.canceller.textContent = "OK";
    this.note.textContent = message;
    this.note.className = bad ? "bad" : "good";
  }
  // run calls step(offset) for each piece, some at once, until all are there.
  async run(begin, step, chunk) {
    for (;;) {
      try {
        await online();
        let next = (this.offset = await begin());
        const worker = async () => {
          while (next < this.size && !this.over) {
            if (this.paused) await new Promise((resume) => this.waiting.push(resume));
            if (this.over || next >= this.size) break;
            const at = next;
            next += chunk;
            await step(at);
            this.offset = Math.min(this.size, this.offset + chunk);
            this.show();
          }
        };
        await Promise.all(Array.from({ length: WINDOW }, worker));
        return;
      } catch (err) {
        // No code: the connection broke, and an answer with it. Begin again, from
        // where the other side is.
        if (err.code || this.over) throw err;
        this.note.textContent = "waiting for the connection …";
      }
    }
  }
}

async function upload(file) {
  const t = new Transfer(`↑ ${file.name}`, file.size);
  let id = "";
  t.cancelled = () => id && socket.emit("upload abort", id);
  try {
    const begin = async () => {
      const answer = await ask("upload begin", { name: file.name, size: file.size, id });
      id = answer.id;
      return answer.offset;
    };
    // Pieces are read and sent one after the other, and their answers awaited together.
    let turn = Promise.resolve();
    const read = (at) => file.slice(at, at + 65536).arrayBuffer().catch(() => {
      throw Object.assign(new Error("File cannot be read any more"), { code: "unreadable" });
    });
    const send = async (at) => {
      const data = await read(at);
      return { answer: ask("upload chunk", id, at, data) };
    };
    const step = (at) => {
      const sent = turn.then(() => send(at));
      turn = sent.catch(() => {});
      return sent.then(({ answer }) => answer);
    };
    await t.run(begin, step, 65536);
    if (t.over) return;
    t.note.textContent = "checking …";
    const sum = file.size <= MAX_HASHED ? await sha256(await file.arrayBuffer()) : "";
    const info = await ask("upload end", { id, sha256: sum });
    add(info);
    t.end(`there, ${sum ? "checksum right" : "not compared"}`);
  } catch (err) {
    if (!t.over) t.end(err.message, true);
  }
}

async function download(info) {
  const t = new Transfer(`↓ ${info.fileName}`, info.size);
  const parts = new Map();
  try {
    await t.run(
      async () => (await ask("download begin", info.fileName), 0),
      // What is here already is not asked for again.
      async (at) => parts.has(at) || parts.set(at, await ask("download chunk", info.fileName, at)),
      65536,
    );
    if (t.over) return;
    const blob = new Blob([...parts].sort((a, b) => a[0] - b[0]).map((p) => p[1]), { type: info.type });
    const sum = blob.size <= MAX_HASHED ? await sha256(await blob.arrayBuffer()) : "";
    if (blob.size !== info.size || (sum && sum !== info.sha256)) throw Object.assign(new Error("Checksum does not match"), { code: "checksum" });
    const a = element("a");
    a.href = URL.createObjectURL(blob);
    a.download = info.fileName;
    a.click();
    setTimeout(() => URL.revokeObjectURL(a.href), 60_000);
    t.end(`saved, ${sum ? "checksum right" : "not compared"}`);
  } catch (err) {
    if (!t.over) t.end(err.message, true);
  }
}

function add(info) {
  const li = element("li", "file");
  const picture = element("div", "picture", info.thumbnail ? "" : (info.fileName.split(".").pop() || "?").slice(0, 4));
  if (info.thumbnail) {
    ask("thumbnail", info.fileName).then((data) => {
      const img = element("img");
      img.alt = "";
      img.src = URL.createObjectURL(new Blob([data], { type: "image/jpeg" }));
      img.onload = () => URL.revokeObjectURL(img.src);
      picture.append(img);
    }, () => {});
  }
  const text = element("div", "text");
  text.append(element("b", "", info.fileName), element("span", "soft", `${bytes(info.size)} · ${new Date(info.time).toLocaleString()}`));
  li.append(picture, text, button("Download", () => download(info), "tiny"));
  $("files").prepend(li);
  $("none").hidden = true;
}

socket.on("connect", async () => {
  const list = await ask("file list").catch(() => []);
  $("files").replaceChildren();
  $("none").hidden = list.length > 0;
  for (const info of list.reverse()) add(info);
});
socket.on("new file", add);

$("pick").addEventListener("change", () => {
  for (const file of $("pick").files) upload(file);
  $("pick").value = "";
});
for (const kind of ["dragover", "dragenter"]) {
  addEventListener(kind, (e) => {
    e.preventDefault();
    document.body.classList.add("over");
  });
}
addEventListener("dragleave", (e) => e.relatedTarget || document.body.classList.remove("over"));
addEventListener("drop", (e) => {
  e.preventDefault();
  document.body.classList.remove("over");
  for (const file of e.dataTransfer.files) upload(file);
});

socket.connect();
