// What programs write, compiled against the declarations that are shipped.
import io, { batches, Manager, type Socket } from "../dist/types/index";

interface ServerToClient {
  said: (text: string, at: number) => void;
}
interface ClientToServer {
  say: (text: string) => void;
  sum: (a: number, b: number, answer: (total: number) => void) => void;
}

export async function typed(): Promise<number> {
  const socket: Socket<ServerToClient, ClientToServer> = io("/chat", { auth: { token: "t" }, transports: ["websocket"] });
  const same: typeof socket = batches(socket);
  same.on("said", (text, at) => console.log(text.length + at));
  socket.on("connect_error", (error) => console.log(error.message, error.data));
  socket.emit("say", "hello");
  // @ts-expect-error: the text is missing
  socket.emit("say");
  // @ts-expect-error: there is no such event
  socket.emit("shout", "hello");
  // @ts-expect-error: what is internal is not declared
  socket._fire("said");
  return await socket.timeout(1000).emitWithAck("sum", 1, 2);
}

export function untyped(): void {
  const socket = new Manager("http://localhost:3000", { reconnectionDelayMax: 10_000 }).socket("/");
  socket.on("anything", (text: string, done: (ok: boolean) => void) => done(text != ""));
  socket.volatile.emit("position", { x: 1 });
}
