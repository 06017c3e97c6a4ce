// The client in Node: the options of TLS and agents, headers and cookies on both
// transports, and the WebSocket of `ws`, which is optional where there is a
// global one.
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { createRequire } from "node:module";
import type { Carrier, EngineOptions, TransportKind } from "./engine/transport";
import { polling } from "./engine/polling";
import { websocket } from "./engine/websocket";
import { kinds } from "./parts";

/** What goes to the connection itself, by the names of Node. */
const connectionOptions = [
  "agent", "pfx", "key", "passphrase", "cert", "ca", "ciphers", "rejectUnauthorized", "localAddress", "family", "checkServerIdentity", "servername",
] as const;
/** What `ws` takes besides. */
const socketOptions = ["perMessageDeflate", "origin", "maxPayload", "protocolVersion", "followRedirects"] as const;

const pick = (from: EngineOptions, names: readonly string[]) =>
  Object.fromEntries(names.filter((name) => from[name] !== undefined && from[name] !== false).map((name) => [name, from[name]]));

/** The cookies that a server has set, one jar per connection. */
class Jar {
  readonly #cookies = new Map<string, { value: string; expires: number }>();

  take(response: IncomingMessage): void {
    for (const line of response.headers["set-cookie"] ?? []) {
      const [pair, ...attributes] = line.split(";");
      const at = pair.indexOf("=");
      if (at < 1) continue;
      let expires = Infinity;
      let byAge = false;
      for (const attribute of attributes) {
        const [name, value = ""] = attribute.trim().split("=");
        if (/^max-age$/i.test(name)) {
          byAge = true;
          expires = Date.now() + 1000 * Number(value);
        } else if (/^expires$/i.test(name) && !byAge) expires = Date.parse(value);
      }
      this.#cookies.set(pair.slice(0, at).trim(), { value: pair.slice(at + 1).trim(), expires });
    }
  }

  header(): string {
    const now = Date.now();
    return [...this.#cookies].filter(([, c]) => c.expires > now).map(([name, c]) => name + "=" + c.value).join("; ");
  }
}

const jars = new WeakMap<object, Jar>();

function headersOf(opts: EngineOptions, jar: Jar | undefined): Record<string, string> {
  const headers = { ...opts.extraHeaders };
  const cookies = jar?.header();
  if (cookies) {
    const name = Object.keys(headers).find((key) => /^cookie$/i.test(key)) ?? "Cookie";
    headers[name] = [headers[name], cookies].filter(Boolean).join("; ");
  }
  return headers;
}

/** As much of fetch as the client needs, with the options of Node. */
const fetcher = (opts: EngineOptions, jar: Jar | undefined) =>
  ((url: string, { method = "GET", body, signal }: { method?: string; body?: string; signal?: AbortSignal } = {}) =>
    new Promise((resolve, reject) => {
      const headers: Record<string, string | number> = { Accept: "*/*", ...headersOf(opts, jar) };
      if (body !== undefined) {
        headers["Content-Type"] = "text/plain;charset=UTF-8";
        headers["Content-Length"] = Buffer.byteLength(body);
      }
      const request = url.startsWith("https:") ? httpsRequest : httpRequest;
      // A connection each: one that is kept may be closed by the server while a
      // request is on its way, and nobody may send that twice.
      const sent = request(url, { agent: false, method, headers, signal, ...pick(opts, connectionOptions), ...(opts.rejectUnauthorized === false && { rejectUnauthorized: false }) }, (response) => {
        jar?.take(response);
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => (text += part));
        response.on("error", reject);
        response.on("end", () => {
          const status = response.statusCode!;
          resolve({ status, ok: status >= 200 && status < 300, headers: response.headers, text: async () => text });
        });
      });
      if (opts.autoUnref) sent.on("socket", (socket) => socket.unref());
      sent.on("error", reject);
      sent.end(body);
    })) as never as typeof fetch;

// eslint-disable-next-line @typescript-eslint/no-explicit-any
let ws: any;
try {
  ws = createRequire(typeof __filename == "string" ? __filename : import.meta.url)("ws");
} catch {
  // Then it is the global one, from Node 22 on; without headers and TLS options.
}

/** The same transport with what Node adds to its options. */
const inNode = (kind: TransportKind): TransportKind => ({
  name: kind.name,
  _start(engine: Carrier, host, opts) {
    let jar = jars.get(engine);
    if (opts.withCredentials && !jar) jars.set(engine, (jar = new Jar()));
    return kind._start(engine, host, {
      fetch: fetcher(opts, jar),
      // As a function, because that may return what it made.
      WebSocket: ws && (function (url: string, protocols: string | string[]) {
        const socket = new ws(url, protocols, {
          headers: headersOf(opts, jar),
          ...pick(opts, [...connectionOptions, ...socketOptions]),
          ...(opts.rejectUnauthorized === false && { rejectUnauthorized: false }),
        });
        if (opts.autoUnref) socket.on("upgrade", (response: IncomingMessage) => response.socket.unref());
        return socket;
      } as never),
      ...opts,
    });
  },
});

const nodePolling = inNode(polling);
const nodeWebSocket = inNode(websocket);
Object.assign(kinds, { websocket: nodeWebSocket, polling: nodePolling });

export { io, io as default, connect, Manager, Socket, protocol, events, batches } from "./core";
export { nodePolling as Fetch, nodePolling as XHR, nodePolling as NodeXHR, nodeWebSocket as WebSocket, nodeWebSocket as NodeWebSocket };
export { webtransport as WebTransport } from "./engine/webtransport";
export type * from "./core";
