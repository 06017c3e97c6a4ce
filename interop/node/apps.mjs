// The official client as the pages of the tutorials use it, with their event names and
// payloads, against the examples: node apps.mjs NAME URL. It ends with 0 if all is as
// a page expects it.
import assert from "node:assert/strict";
import { io } from "socket.io-client";

const [name, url] = process.argv.slice(2);
const open = [];

// dial connects and keeps all that comes.
async function dial(nsp = "/", auth) {
  const socket = io(url + nsp, { auth, transports: ["websocket"], reconnection: false });
  open.push(socket);
  const heard = [];
  let look = () => {};
  socket.onAny((event, ...args) => {
    heard.push([event, ...args]);
    look();
  });
  // hear waits for an event, among those that have not been heard before.
  socket.hear = (event, fits = () => true) => new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${event}; there was ${JSON.stringify(heard)}`)), 10_000);
    look = () => {
      const i = heard.findIndex(([e, ...args]) => e === event && fits(...args));
      if (i < 0) return;
      clearTimeout(timer);
      look = () => {};
      const [[, ...args]] = heard.splice(i, 1);
      resolve(args);
    };
    look();
  });
  await new Promise((resolve, reject) => socket.on("connect", resolve).on("connect_error", reject));
  return socket;
}

const apps = {
  async basics() {
    const ann = await dial();
    assert.deepEqual(await ann.hear("welcome"), [{ message: "Welcome!", id: ann.id }]);
    const bob = await dial();
    assert.deepEqual(await ann.hear("user connected"), [bob.id]);
    ann.emit("chat message", { user: "Ann", message: "hello" });
    for (const s of [ann, bob]) {
      const [m] = await s.hear("chat message");
      assert.deepEqual([m.user, m.message, typeof m.timestamp], ["Ann", "hello", "number"]);
    }
    ann.emit("chat message", { user: "Ann", message: "x".repeat(501) });
    assert.deepEqual(await ann.hear("error"), [{ message: "Message too long", code: "bad_message" }]);
    ann.emit("chat message", { user: "Ann", message: 7 });
    assert.equal((await ann.hear("error"))[0].message, "Invalid message format");
    bob.emit("room message", { room: "river", message: "too early" });
    assert.equal((await bob.hear("error"))[0].code, "not_in_room");
    ann.emit("join room", "river");
    ann.emit("chat message", { user: "Ann", message: "joined" }); // in order, so that she has
    await bob.hear("chat message");
    bob.emit("join room", "river");
    assert.deepEqual(await ann.hear("user joined"), [bob.id]);
    ann.emit("room message", { room: "river", message: "psst" });
    assert.deepEqual(await bob.hear("room message"), [{ from: ann.id, message: "psst" }]);
    bob.emit("leave room", "river");
    assert.deepEqual(await ann.hear("user left"), [bob.id]);
    const [chatter, listener] = [await dial("/chat"), await dial("/chat")];
    chatter.emit("message", { any: ["thing"] });
    assert.deepEqual(await listener.hear("message"), [{ any: ["thing"] }]);
    const [player, watcher] = [await dial("/game"), await dial("/game")];
    player.emit("player move", { x: 1, y: 2 });
    assert.deepEqual(await watcher.hear("player moved"), [{ player: player.id, position: { x: 1, y: 2 } }]);
    player.emit("player move", { position: 3 });
    assert.deepEqual(await watcher.hear("player moved"), [{ player: player.id, position: 3 }]);
    for (const auth of [undefined, { token: "bad" }]) await assert.rejects(dial("/admin", auth), { message: "Authentication error" });
    await dial("/admin", { token: "secret" });
    const id = bob.id;
    bob.disconnect();
    assert.deepEqual(await ann.hear("user disconnected"), [id]);
  },

  async chat() {
    const [ann, bob] = [await dial(), await dial()];
    ann.emit("chat message", { message: "too early" });
    const [early] = await ann.hear("error");
    assert.equal(typeof early.message, "string");
    ann.emit("user join", { username: "Ann" });
    assert.deepEqual((await ann.hear("message history"))[0], []);
    const [[me]] = await ann.hear("user list");
    assert.deepEqual([me.id, me.username, typeof me.joinTime, me.isTyping], [ann.id, "Ann", "number", false]);
    bob.emit("user join", { username: "Bob" });
    assert.deepEqual((await ann.hear("user joined"))[0], { username: "Bob", id: bob.id });
    bob.emit("typing", true);
    assert.deepEqual((await ann.hear("user typing"))[0], { username: "Bob", isTyping: true });
    bob.emit("chat message", { message: "<b>hello</b>" });
    for (const s of [ann, bob]) {
      const [m] = await s.hear("chat message");
      assert.deepEqual([m.username, m.message, typeof m.timestamp, m.edited], ["Bob", "<b>hello</b>", "number", false]);
      assert.ok(m.id);
    }
    const eve = await dial();
    eve.emit("user join", { username: "Eve" });
    assert.equal((await eve.hear("message history"))[0].length, 1);
    bob.disconnect();
    assert.deepEqual((await ann.hear("user left"))[0].username, "Bob");
    assert.equal((await ann.hear("user list", (l) => l.length === 2 && l[1].username === "Eve"))[0][0].username, "Ann");
  },

  async editor() {
    const [ann, bob] = [await dial(), await dial()];
    ann.emit("join document", "plan");
    const [state] = await ann.hear("document state");
    assert.deepEqual([state.id, state.content, state.version, state.participants.length], ["plan", "", 0, 1]);
    bob.emit("join document", "plan");
    assert.deepEqual(await ann.hear("participant joined"), [bob.id]);
    await bob.hear("document state");
    ann.emit("operation", { docId: "plan", operation: { type: "insert", position: 0, text: "salmon" }, clientVersion: 0 });
    let [done] = await bob.hear("operation");
    assert.deepEqual(done, { operation: { type: "insert", position: 0, text: "salmon" }, version: 1, author: ann.id });
    // One version behind, as the tutorials refuse it: here it is transformed.
    bob.emit("operation", { docId: "plan", operation: { type: "insert", position: 0, text: "> " }, clientVersion: 0 });
    [done] = await ann.hear("operation");
    assert.deepEqual([done.operation, done.version], [{ type: "insert", position: 6, text: "> " }, 2]);
    bob.emit("operation", { docId: "plan", operation: { type: "delete", position: 0, length: 99 }, clientVersion: 2 });
    assert.equal(typeof (await bob.hear("operation error"))[0], "string");
    ann.emit("cursor position", { docId: "plan", position: 3 });
    const [cursor] = await bob.hear("cursor update");
    assert.deepEqual([cursor.userId, cursor.position], [ann.id, 3]);
  },

  async game() {
    const [ann, bob, eve] = [await dial(), await dial(), await dial()];
    ann.emit("join game", "nowhere");
    assert.equal((await ann.hear("error"))[0].message, "Game not found");
    ann.emit("create game", { type: "eggs", maxPlayers: 2 });
    const [{ gameId }] = await ann.hear("game created");
    ann.emit("join game", gameId);
    const [state] = await ann.hear("game state");
    assert.deepEqual([state.gameId, state.players.length, typeof state.state], [gameId, 1, "string"]);
    bob.emit("join game", gameId);
    const [joined] = await ann.hear("player joined", (p) => p.playerId === bob.id);
    assert.equal(joined.playerCount, 2);
    eve.emit("join game", gameId);
    assert.equal((await eve.hear("error"))[0].message, "Game is full");
    ann.emit("player ready");
    bob.emit("player ready");
    await ann.hear("game started");
    const [update] = await bob.hear("game update");
    assert.deepEqual([update.players.length, typeof update.timestamp], [2, "number"]);
    ann.emit("player action", { jump: true });
    const [action] = await bob.hear("player action");
    assert.deepEqual([action.playerId, action.action, typeof action.timestamp], [ann.id, { jump: true }, "number"]);
    ann.emit("leave game");
    assert.deepEqual(await bob.hear("player left"), [ann.id]);
  },

  async files() {
    const [ann, bob] = [await dial(), await dial()];
    const data = Buffer.from("salmon".repeat(1000));
    ann.emit("file upload", "fish.txt", data);
    assert.deepEqual(await ann.hear("upload success"), ["fish.txt"]);
    const [news] = await bob.hear("new file");
    assert.deepEqual([news.fileName, news.uploadedBy, news.size], ["fish.txt", ann.id, data.length]);
    bob.emit("request file", "fish.txt");
    const [name, got] = await bob.hear("file data");
    assert.equal(name, "fish.txt");
    assert.ok(data.equals(got));
    bob.emit("request file", "../fish.txt");
    assert.deepEqual(await bob.hear("file error"), ["File not found"]);
    ann.emit("file upload", "page.html", Buffer.from("<!doctype html>"));
    assert.deepEqual(await ann.hear("upload error"), ["File type is not allowed"]);
  },
};

try {
  await apps[name]();
} catch (err) {
  console.error(err);
  process.exitCode = 1;
}
for (const socket of open) socket.disconnect();
