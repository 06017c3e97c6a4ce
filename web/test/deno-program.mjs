// Run by Deno: a conversation over a transport, with the server at an address.
import { io } from "../dist/index.js";

const [url, transports] = Deno.args;
const s = io(url, { transports: transports.split(",") });
s.on("connect_error", (err) => console.log(err.message, err.description));
s.on("connect", async () => {
  if (transports === "polling,websocket" && s.io.engine.transport.name === "polling") await new Promise((resolve) => s.io.engine.once("upgrade", resolve));
  const answer = await s.timeout(5000).emitWithAck("echo", { text: "ü", bytes: new Uint8Array([1, 255]) });
  console.log(answer.text, new Uint8Array(answer.bytes).join(), s.io.engine.transport.name);
  s.disconnect();
});
