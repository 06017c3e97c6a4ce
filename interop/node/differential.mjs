// The official parser, packet by packet, for ../differential_test.go: a line
// with a message as a JSON string comes in, a line with what it decodes to goes
// out. Attachments that the message announces are made up: byte i for the i-th.
import { createInterface } from "node:readline";
import { Decoder } from "socket.io-parser";

// What Go makes of it: bytes in a form of their own, text without half
// characters, numbers that JSON has no form for as null.
function plain(v) {
  if (Buffer.isBuffer(v)) return { $binary: v.toString("base64") };
  if (typeof v == "string") return v.toWellFormed();
  if (Array.isArray(v)) return v.map(plain);
  if (v === null || typeof v != "object") return v;
  return Object.fromEntries(Object.entries(v).map(([k, x]) => [k.toWellFormed(), plain(x)]));
}

function decode(message) {
  const decoder = new Decoder();
  let packet;
  decoder.on("decoded", (p) => (packet = p));
  try {
    decoder.add(message);
    for (let i = 0; !packet && i < 10; i++) decoder.add(Buffer.from([i]));
  } catch (e) {
    return { error: e.message };
  }
  if (!packet) return { error: "incomplete" };
  // The name of an event is text to listeners, whatever it was.
  if (packet.type === 2 && Array.isArray(packet.data)) packet.data[0] = String(packet.data[0]);
  return { type: packet.type, nsp: packet.nsp.toWellFormed(), id: packet.id ?? null, data: packet.data === undefined ? null : plain(packet.data) };
}

createInterface({ input: process.stdin }).on("line", (line) => process.stdout.write(JSON.stringify(decode(JSON.parse(line))) + "\n"));
