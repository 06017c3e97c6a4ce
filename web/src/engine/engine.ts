import { Emitter } from "../emitter";
import { env, later, soon, type Timer } from "../env";
import { parse } from "../url";
import type { EnginePacket, PacketName, RawData } from "./packet";
import { type Carrier, type CloseDetails, type EngineOptions, type Transport, transportError, type TransportError, type TransportKind } from "./transport";

/** What the server says in the handshake. */
interface Handshake {
  sid: string;
  upgrades: string[];
  pingInterval: number;
  pingTimeout: number;
  maxPayload?: number;
}

interface EngineEvents {
  open: () => void;
  packet: (packet: EnginePacket) => void;
  packetCreate: (packet: EnginePacket) => void;
  message: (data: RawData) => void;
  ping: () => void;
  drain: () => void;
  upgrading: (transport: Transport) => void;
  upgrade: (transport: Transport) => void;
  upgradeError: (error: Error) => void;
  error: (error: TransportError | string) => void;
  close: (reason: string, details?: CloseDetails | Error) => void;
}

/** A connection to a server, over one transport after another. */
export interface Engine extends Emitter<EngineEvents>, Omit<Carrier, "once" | "_fire"> {
  readyState: "opening" | "open" | "closing" | "closed";
  /** What has not left yet; its first entries may be on their way. */
  writeBuffer: EnginePacket[];
  /** Sends a message. */
  write(data: RawData): Engine;
  /** The same as write. */
  send(data: RawData): Engine;
  /** Closes the connection after what waits has left. */
  close(): Engine;

  /**
   * Whether the server has been silent for too long: a timer that a browser
   * held back could not say so. Ends the connection in that case. @internal
   */
  _expired(): boolean;
  /**
   * Looks at once whether the connection is alive, after time in which nobody
   * may have looked: a ping that is overdue has to come now. @internal
   */
  _wake(): void;
  /** @internal */
  _end(reason: string, details?: unknown, polite?: boolean): void;
}

/** How long an overdue ping is waited for when the page wakes up. */
const wakeGrace = 3000;

/** @param owner hears of every event before the listeners do. */
export function connect(uri: string | undefined, opts: EngineOptions, owner: (event: string, a?: unknown, b?: unknown) => void): Engine {
  const self = new Emitter() as unknown as Engine;
  const [secure, authority, , ownQuery] = parse(uri);
  let sent = 0;
  let timer: Timer | undefined;
  let lastPing: number;
  let pingInterval: number;
  let pingTimeout: number;

  const fire = (event: string, a?: unknown, b?: unknown) => {
    owner(event, a, b);
    self._fire(event, a, b);
  };

  const write = (type: PacketName, data?: RawData) => {
    if (/^open/.test(self.readyState)) {
      const packet: EnginePacket = { type, data };
      fire("packetCreate", packet);
      self.writeBuffer.push(packet);
      self._flush();
    }
    return self;
  };

  // Waits for a ping until some time after it is due.
  const awaitPing = (grace: number) => {
    clearTimeout(timer);
    if (self.readyState != "closed") {
      timer = later(() => self._end("ping timeout"), Math.max(lastPing + pingInterval - Date.now(), 0) + grace, opts.autoUnref);
    }
  };

  Object.assign(self, {
    opts,
    readyState: "opening",
    writeBuffer: [],
    _last: true,
    write: (data) => write("message", data),

    close() {
      if (/^open/.test(self.readyState)) {
        self.readyState = "closing";
        const finish = () => self._end("forced close", undefined, true);
        if (self.writeBuffer[0]) self.once("drain", finish);
        else finish();
      }
      return self;
    },

    _url: (name, scheme, { query, timestampRequests, timestampParam = "t", path = "/engine.io", addTrailingSlash }) =>
      scheme + (secure ? "s://" : "://") + authority + path.replace(/\/$/, "") + (addTrailingSlash == false ? "?" : "/?") +
      [
        ownQuery || new URLSearchParams(query as never),
        "EIO=4",
        "transport=" + name,
        (timestampRequests ?? name == "polling") && timestampParam + "=" + (Date.now() + Math.random()).toString(36),
        self.id && "sid=" + self.id,
      ].filter((part) => part && part + "").join("&"),

    _create: (kind, host) => kind._start(self as never, host, { ...opts, ...(opts.transportOptions || {})[kind.name] }),

    _flush() {
      if (self.readyState != "closed" && self.transport.writable && self.writeBuffer[0]) {
        const packets = self.writeBuffer.slice();
        sent = self.transport._send(packets) || packets.length;
      }
    },

    _expired() {
      const late = Date.now() > lastPing + pingInterval + pingTimeout;
      if (late) {
        lastPing = Infinity;
        soon(() => self._end("ping timeout"));
      }
      return late;
    },

    _wake() {
      if (self.readyState == "open" && !self._expired()) {
        // A dead connection is told so by the kernel if something is sent.
        write("noop");
        awaitPing(Math.min(pingTimeout, wakeGrace));
      }
    },

    _end(reason, details, polite) {
      if (self.readyState != "closed") {
        clearTimeout(timer);
        self.readyState = "closed";
        if (self.transport) self.transport._close(polite);
        self.id = undefined;
        fire("close", reason, details);
        self.writeBuffer = [];
        sent = 0;
      }
    },
  } as Partial<Engine>);
  self.send = self.write;

  env._start(
    self as never,
    {
      _packet(packet) {
        const { type, data } = packet;
        if (self.readyState == "closed") return;
        fire("packet", packet);
        if (type == "open") {
          ({ sid: self.id, upgrades: self._upgrades, maxPayload: self._maxPayload = Infinity, pingInterval, pingTimeout } = JSON.parse(data as string) as Handshake);
          if (self.readyState == "opening") {
            self.readyState = "open";
            lastPing = Date.now();
            fire(type);
            self._flush();
            awaitPing(pingTimeout);
          }
        } else if (type == "ping") {
          write("pong");
          fire(type);
          lastPing = Date.now();
          awaitPing(pingTimeout);
        } else if (type == "message") {
          fire(type, data);
        }
      },

      _drain() {
        self.writeBuffer.splice(0, sent);
        sent = 0;
        if (self.writeBuffer[0]) self._flush();
        else fire("drain");
      },

      _end(details) {
        // An end before the beginning is a failure, or nobody would hear of it.
        if (self.readyState == "opening" && !(details instanceof Error)) details = transportError((details as CloseDetails).description, 0, details);
        if (self.readyState != "closed" && details instanceof Error) fire("error", details);
        self._end(details instanceof Error ? "transport error" : "transport close", details);
      },
    },
    opts.transports
      ? opts.transports.map((want) => env._kinds[want as string] || (want as TransportKind)).filter((kind) => kind._start)
      : Object.values(env._kinds),
  );
  if (!self.transport) soon(() => fire("error", "No transports available"));
  return self;
}
