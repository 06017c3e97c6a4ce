import { sizeOf } from "./binary";
import { explain } from "./dev";
import { Emitter } from "./emitter";
import { connect, type Engine } from "./engine/engine";
import type { EnginePacket, RawData } from "./engine/packet";
import { type EngineOptions, transportError } from "./engine/transport";
import { env, later, scope, soon, type Timer } from "./env";
import type { Packet, Parser } from "./parser";
import { Socket, type SocketOptions } from "./socket";
import { parse } from "./url";

/** The options of a Manager. */
export interface ManagerOptions extends EngineOptions {
  /** Whether to come back by itself. Default true. */
  reconnection?: boolean;
  /** How often to try before giving up. Default: for ever. */
  reconnectionAttempts?: number;
  /** The first wait, in milliseconds. Default 1000. */
  reconnectionDelay?: number;
  /** The longest wait, in milliseconds. Default 5000. */
  reconnectionDelayMax?: number;
  /** The random part of a wait, 0 to 1. Default 0.5. */
  randomizationFactor?: number;
  /** Milliseconds for an attempt to connect; false for no limit. Default 20000. */
  timeout?: number | false;
  /** Whether to connect at once. Default true. */
  autoConnect?: boolean;
  /** Another codec than JSON; the server must use the same. */
  parser?: Parser;
}

interface ManagerEvents {
  open: () => void;
  error: (error: Error) => void;
  ping: () => void;
  packet: (packet: Packet) => void;
  close: (reason: string, details?: unknown) => void;
  reconnect: (attempt: number) => void;
  reconnect_attempt: (attempt: number) => void;
  reconnect_error: (error: Error) => void;
  reconnect_failed: () => void;
}

/** The defaults of the options that have a method, too, to read or set them. */
const defaults: ManagerOptions = {
  autoConnect: true,
  reconnection: true,
  reconnectionAttempts: Infinity,
  reconnectionDelay: 1000,
  reconnectionDelayMax: 5000,
  randomizationFactor: 0.5,
  timeout: 20000,
};

/** What makes a connection worth a look, or ends it. */
const pageEvents = ["online", "offline", "visibilitychange", "pageshow", "resume", "beforeunload"];

const lengthOf = (packet: unknown): number => {
  const { data = "" } = packet as EnginePacket;
  return (data as string).length ?? (data as ArrayBuffer).byteLength ?? (data as Blob).size;
};

/** A connection that comes back, shared by the sockets of several namespaces. */
export class Manager extends Emitter<ManagerEvents> {
  constructor(readonly uri?: string, opts?: ManagerOptions) {
    super();
    // eslint-disable-next-line @typescript-eslint/no-this-alias
    const self = this;
    const o: ManagerOptions = (self.opts = { path: "/socket.io", ...opts });
    for (const name in defaults) o[name] ??= defaults[name];
    const codec = o.parser || env._parser!;
    const encoder = new codec.Encoder();
    const decoder = new codec.Decoder();
    let attempts = 0;
    let timer: Timer;
    /** Tries to reconnect now. */
    let retry: (() => void) | undefined;
    let woke = 0;

    const each = (fn: (socket: Socket) => void) => {
      for (const socket of Object.values(self.nsps)) if (socket.active) fn(socket);
    };

    const onPage = ({ type, persisted }: Event & { persisted?: boolean }) => {
      const { engine } = self;
      if (type == "beforeunload") {
        if (o.closeOnBeforeunload) {
          engine.off();
          engine.transport._close(true);
        }
      } else if (type == "offline") {
        if (!/^(localhost|127\.|\[::1)/.test(parse(uri)[1])) engine._end("transport close", { description: "network connection lost" });
      } else if (persisted != false && !(type == "visibilitychange" && document.hidden)) {
        woke = Date.now();
        if (retry) retry();
        else engine._wake();
      }
    };
    const watchPage = (verb: "addEventListener" | "removeEventListener") => {
      // Some happen to the document and do not bubble.
      if (scope[verb]) for (const event of pageEvents) scope[verb](event, onPage, true);
    };

    const failed = (error: Error) => {
      if (__DEV__) explain(error);
      self._fire("error", error);
      each((socket) => socket.connected || socket._fire("connect_error", error));
    };

    const ended = () => {
      clearTimeout(timer);
      self._readyState = "closed";
      watchPage("removeEventListener");
      decoder.destroy();
      self.engine.close();
    };

    const closed = (reason: string, details?: unknown) => {
      ended();
      attempts = 0;
      self._fire("close", reason, details);
      each((socket) => socket._closed(reason, details));
      reconnect();
    };

    const reconnect = () => {
      if (!o.reconnection || self._reconnecting || self._stopped || self._readyState != "closed") return;
      // Of these three zero means the default.
      if (attempts >= (o.reconnectionAttempts || Infinity)) {
        attempts = 0;
        self._fire("reconnect_failed");
        return;
      }
      self._reconnecting = true;
      watchPage("addEventListener");
      retry = () => {
        clearTimeout(timer);
        retry = undefined;
        attempts++;
        if (!self._stopped) self._fire("reconnect_attempt", attempts);
        // Perhaps by a listener.
        if (!self._stopped) {
          self.open((error) => {
            self._reconnecting = false;
            if (error) {
              reconnect();
              self._fire("reconnect_error", error);
            } else {
              const made = attempts;
              attempts = 0;
              self._fire("reconnect", made);
            }
          });
        }
      };
      // Spread around the middle, and within the maximum also when that is
      // reached, so that not all clients come at once.
      const jitter = o.randomizationFactor!;
      // At once if the page has only now found out that the connection is dead.
      const asleep = !attempts && Date.now() - woke < 5000;
      timer = later(
        retry,
        asleep ? 0 : Math.min((o.reconnectionDelay || 1000) * 2 ** attempts, (o.reconnectionDelayMax || 5000) / (1 + jitter)) * (1 + jitter * (2 * Math.random() - 1)),
        o.autoUnref,
      );
    };

    // Apart from the decoder: what a listener throws is no parse error.
    decoder.on("decoded", (packet) =>
      soon(() => {
        self._fire("packet", packet);
        const socket = self.nsps[packet.nsp];
        if (socket && socket.active) socket._receive(packet);
      }),
    );

    Object.assign(self, {
      nsps: {},
      _readyState: "closed",
      _stats: { connects: 0, bytesIn: 0, bytesOut: 0 },

      open(done) {
        if (self._readyState != "closed") return self;
        self._readyState = "opening";
        self._stopped = false;
        watchPage("addEventListener");
        const fail = (error: Error) => {
          ended();
          failed(error);
          if (done) done(error);
          // The very first attempt.
          else if (!attempts) reconnect();
        };
        const engine: Engine = (self.engine = connect(uri, o, (event, a, b) => {
          const opening = self._readyState == "opening";
          if (engine != self.engine || self._readyState == "closed") return;
          if (event == "packet") self._stats.bytesIn += lengthOf(a);
          if (event == "packetCreate") self._stats.bytesOut += lengthOf(a);
          if (event == "open") {
            clearTimeout(timer);
            self._stats.connects++;
            self._readyState = event;
            self._fire(event);
            each((socket) => socket._opened());
            if (done) done();
          } else if (event == "message") {
            try {
              decoder.add(a);
            } catch (error) {
              closed("parse error", error);
            }
          } else if (event == "ping") self._fire(event);
          else if (event == "error") (opening ? fail : failed)(a as Error);
          else if (event == "close") {
            if (opening) fail(transportError(a as string, b));
            else closed(a as string, b);
          }
        }));
        if (o.timeout !== false) timer = later(() => fail(Error("timeout")), o.timeout!, o.autoUnref);
        return self;
      },

      socket(nsp, opts) {
        const socket = (self.nsps[nsp] ||= new Socket(self, nsp, opts));
        if (o.autoConnect && !socket.active) socket.connect();
        return socket;
      },

      _release() {
        if (!Object.values(self.nsps).some((socket) => socket.active)) {
          self._stopped = true;
          self._reconnecting = false;
          retry = undefined;
          if (self.engine) closed("forced close");
        }
      },

      _send(packet) {
        const messages = encoder.encode(packet) as RawData[];
        const max = self.engine._maxPayload;
        for (const message of messages) {
          // A character is three bytes at most.
          if (!((message as string).length * 3 < max) && sizeOf(message) >= max) {
            throw Error(`payload too large: ${sizeOf(message)} bytes, maxPayload is ${max}`);
          }
        }
        messages.map(self.engine.write);
      },
    } as Partial<Manager>);
    self.connect = self.open;
    if (o.autoConnect) self.open();
  }
}

export interface Manager {
  engine: Engine;
  opts: ManagerOptions;
  /** The sockets, by namespace. */
  readonly nsps: Record<string, Socket>;
  /** Connects. With a callback it does not try again by itself. */
  open(done?: (error?: Error) => void): this;
  /** The same as open. */
  connect(done?: (error?: Error) => void): this;
  /** The socket of a namespace. */
  socket(nsp: string, opts?: SocketOptions): Socket;
  reconnection(): boolean;
  reconnection(yes: boolean): this;
  reconnectionAttempts(): number;
  reconnectionAttempts(n: number): this;
  reconnectionDelay(): number;
  reconnectionDelay(ms: number): this;
  reconnectionDelayMax(): number;
  reconnectionDelayMax(ms: number): this;
  randomizationFactor(): number;
  randomizationFactor(factor: number): this;
  timeout(): number | false;
  timeout(ms: number | false): this;

  /** @internal */
  _stats: { connects: number; bytesIn: number; bytesOut: number };
  /** @internal */
  _readyState: "opening" | "open" | "closed";
  /** @internal */
  _reconnecting?: boolean;
  /** An attempt that is due does not take place. @internal */
  _stopped?: boolean;
  /** Closes the connection unless another socket uses it. @internal */
  _release(): void;
  /** Sends a packet, or throws because the server would refuse it. @internal */
  _send(packet: Packet): void;
}

// Reads or sets an option.
for (const name in defaults) {
  (Manager.prototype as never as Record<string, unknown>)[name] = function (this: Manager, value?: unknown) {
    if (value === undefined) return this.opts[name];
    this.opts[name] = value;
    this._stopped ||= !this.opts.reconnection;
    return this;
  };
}
