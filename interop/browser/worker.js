// The client in a worker of any kind: it talks, and says through a port how it went.
import { io } from "/ours.js";

const once = (emitter, event) => new Promise((resolve) => emitter.once(event, resolve));

async function talk(transports) {
  const s = io({ transports, reconnection: false, forceNew: true });
  try {
    await Promise.race([once(s, "connect"), once(s, "connect_error").then((err) => Promise.reject(err))]);
    const { engine } = s.io;
    if (transports.length > 1 && engine.transport.name === "polling") await once(engine, "upgrade");
    const bytes = new Uint8Array([1, 2, 255]);
    for (const sent of [bytes, bytes.buffer, new Blob([bytes])]) {
      const back = await s.timeout(5000).emitWithAck("echo", { sent, text: "ü" });
      if (String(new Uint8Array(back.sent)) !== "1,2,255" || back.text !== "ü") throw new Error("echo: " + JSON.stringify(back));
    }
    return `${typeof document} ${engine.transport.name}`;
  } catch (err) {
    return err.stack;
  } finally {
    s.disconnect();
  }
}

const answer = ({ data, ports: [port] }) => talk(data).then((said) => port.postMessage(said));
addEventListener("message", answer);
addEventListener("connect", ({ ports: [port] }) => (port.onmessage = answer)); // of a shared worker
