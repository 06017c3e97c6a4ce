// The entries for Vue and Svelte, which need no page; that for React is tested in a
// browser, with examples/react-chat.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { get } from "svelte/store";
import { effectScope, nextTick, watch } from "vue";
import * as svelte from "../dist/svelte.js";
import * as vue from "../dist/vue.js";
import { Peer, peers } from "./peers.mjs";

let peer;
before(async () => (peer = await Peer.start(peers["the official server"]())));
after(() => peer.close());

const options = { transports: ["websocket"], reconnectionDelay: 20 };
const turn = () => new Promise((resolve) => setTimeout(resolve));

test("Vue: a connection for all components, and none without", async () => {
  const heard = [];
  const component = () =>
    effectScope().run(() => {
      const socket = vue.useSocket(peer.url, options);
      const state = vue.useConnectionState(socket);
      vue.useEvent(socket, "said", (text) => heard.push(text));
      return { socket, state, say: vue.useEmit(socket, "say") };
    });
  const first = effectScope();
  const second = effectScope();
  const a = first.run(component);
  const b = second.run(component);
  assert.equal(a.socket, b.socket);
  assert.equal(a.state.value, "connecting");
  await new Promise((resolve) => watch(a.state, (state) => state === "connected" && resolve()));
  const said = new Promise((resolve) => a.socket.once("said", resolve));
  a.say("hello");
  await said;
  assert.deepEqual(heard, ["hello", "hello"]);
  first.stop();
  await turn();
  assert.equal(b.socket.connected, true);
  assert.equal(b.socket.listeners("said").length, 1);
  second.stop();
  await turn();
  assert.equal(b.socket.active, false);
  assert.equal(b.socket.hasListeners("said") || b.socket.hasListeners("connect"), false);
});

test("Vue: a component that is replaced keeps the connection", async () => {
  const first = effectScope();
  const socket = first.run(() => vue.useSocket(peer.url + "/?keep", options));
  await new Promise((resolve) => socket.once("connect", resolve));
  const { id } = socket;
  first.stop();
  const second = effectScope();
  assert.equal(second.run(() => vue.useSocket(peer.url + "/?keep", options)), socket);
  await turn();
  assert.equal(socket.id, id);
  second.stop();
  await nextTick();
});

test("Svelte: stores listen as long as somebody looks", async () => {
  const [socket, release] = svelte.useSocket(peer.url, options);
  const state = svelte.connectionState(socket);
  const said = svelte.eventStore(socket, "said");
  assert.equal(get(state), "connecting");
  assert.equal(socket.hasListeners("said"), false);
  const states = [];
  await new Promise((resolve) => {
    const leave = state.subscribe((s) => {
      states.push(s);
      if (s === "connected") queueMicrotask(() => resolve(leave()));
    });
  });
  assert.deepEqual(states, ["connecting", "connected"]);
  const values = [];
  await new Promise((resolve) => {
    const leave = said.subscribe((args) => {
      values.push(args);
      if (args) queueMicrotask(() => resolve(leave()));
    });
    socket.emit("say", 1, "two");
  });
  assert.deepEqual(values, [undefined, [1, "two"]]);
  assert.equal(socket.hasListeners("said"), false);
  release();
  release();
  await turn();
  assert.equal(socket.active, false);
});
