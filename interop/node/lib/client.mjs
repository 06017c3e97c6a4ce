// The client that runs the scenarios: --client official, or a file of web/dist.
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { client: { type: "string", default: "official" } }, strict: false });

async function load() {
  if (values.client === "official") {
    const { Manager } = await import("socket.io-client");
    return { Manager, msgpack: (await import("socket.io-msgpack-parser")).default, webtransport: "webtransport" };
  }
  const file = resolve(values.client);
  const { Manager, WebTransport: webtransport } = await import(pathToFileURL(file));
  const { parser } = await import(new URL("msgpack.node.js", pathToFileURL(file)));
  return { Manager, msgpack: parser, webtransport };
}
/** WebTransport is not among what ours knows by name: it is imported, and given. */
export const { Manager, msgpack, webtransport } = await load();
/** Ours asks over HTTP why a WebSocket was refused. */
export const findsStatus = values.client !== "official";
