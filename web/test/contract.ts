// The interfaces that sockeye gen writes, as type parameters of both clients:
// testdata/contract/events.ts is written by a test of the Go package.
import { io as official, type Socket as OfficialSocket } from "socket.io-client";
import type { ClientToServerEvents, ServerToClientEvents } from "../../testdata/contract/events";
import { io as ours, type Socket as OurSocket } from "../dist/types/index";

export async function withOurs(): Promise<void> {
  const socket: OurSocket<ServerToClientEvents, ClientToServerEvents> = ours("https://example.org");
  socket.on("new file", ({ name, data, owner }) => console.log(name.length, data.byteLength, owner?.length));
  socket.emit("move", 1, 2, ["a"]);
  socket.emit("file upload", { name: "a", data: new Uint8Array(3), tags: {}, at: "", extra: null, Raw: 1, size: "1", owner: null, with: { "with-dash": true } }, (failed) => console.log(failed?.error.code));
  const reply = await socket.timeout(1000).emitWithAck("join", { name: "x", children: [{ name: "y" }] });
  if ("error" in reply) console.log(reply.error.message);
  else console.log(reply.Count.toFixed());
  socket.on("question", (list, answer) => answer(list.length));
  // @ts-expect-error: a string where there is a number
  socket.emit("move", "1", 2, []);
  // @ts-expect-error: no such event
  socket.emit("jump");
  // @ts-expect-error: a field that is missing
  socket.emit("join", {}, () => {});
  // @ts-expect-error: the server sends no such event
  socket.on("move", () => {});
  // @ts-expect-error: the answer is a number
  socket.on("question", (_, answer) => answer("many"));
}

export async function withTheOfficial(): Promise<void> {
  const socket: OfficialSocket<ServerToClientEvents, ClientToServerEvents> = official("https://example.org");
  socket.on("new file", ({ name, data, owner }) => console.log(name.length, data.byteLength, owner?.length));
  socket.emit("move", 1, 2, ["a"]);
  const reply = await socket.timeout(1000).emitWithAck("join", { name: "x", children: [{ name: "y" }] });
  if ("error" in reply) console.log(reply.error.message);
  else console.log(reply.Count.toFixed());
  socket.on("question", (list, answer) => answer(list.length));
  // @ts-expect-error: a string where there is a number
  socket.emit("move", "1", 2, []);
  // @ts-expect-error: no such event
  socket.emit("jump");
  // @ts-expect-error: a field that is missing
  socket.emit("join", {}, () => {});
  // @ts-expect-error: the server sends no such event
  socket.on("move", () => {});
  // @ts-expect-error: the answer is a number
  socket.on("question", (_, answer) => answer("many"));
}
