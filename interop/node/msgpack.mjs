// Reads packets of socket.io-msgpack-parser, one in base64 per line, and writes what
// the official parser makes of each: of what it has decoded, encoded again.
import { createInterface } from "node:readline";
import msgpack from "socket.io-msgpack-parser";

const encoder = new msgpack.Encoder();
for await (const line of createInterface({ input: process.stdin })) {
  const decoder = new msgpack.Decoder();
  let packet;
  decoder.on("decoded", (p) => (packet = p));
  decoder.add(Buffer.from(line, "base64"));
  console.log(Buffer.from(encoder.encode(packet)[0]).toString("base64"));
}
