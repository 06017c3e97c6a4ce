import { check, lengthOf } from "./binary";
import { explain } from "./dev";
import { Emitter } from "./emitter";
import { Engine } from "./engine/engine";
import type { RawData } from "./engine/packet";
import { type EngineOptions, transportError } from "./engine/transport";
import { codec } from "./parts";
import { watch } from "./page";
import type { Packet, Parser } from "./parser";
import { Socket, type SocketOptions, type Stats } from "./socket";

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

/** A connection that comes back, shared by the sockets of several namespaces. */
export class Manager extends Emitter<ManagerEvents> {
  constructor(uri?: string, opts?: ManagerOptions) {
    super();
    // eslint-disable-next-line @typescript-eslint/no-this-alias
    const self = this;
    const o: ManagerOptions = (self.opts = { path: "/socket.io", ...opts });
    for (const name in defaults) o[name] ??= defaults[name];
    const { Encoder, Decoder } = o.parser || codec;
    const encoder = new Encoder();
    const decoder = new Decoder();
    const look = __CORE__ ? undefined : watch(self);
    let attempts = 0;
    let timer: Timer; // of the attempt, or of the wait for the next
    let released: unknown; // nobody uses the connection any more

    const each = (fn: (socket: Socket) => void) => {
      for (const socket of Object.values(self.nsps)) if (socket.active) fn(socket);
    };

    const failed = (error: Error) => {
      if (__DEV__) explain(error);
      self._fire("error", error);
      each((socket) => socket.connected || socket._fire("connect_error", error));
    };

    const ended = () => {
      clearTimeout(timer);
      self._retry = self._engine = undefined;
      if (!__CORE__) look!();
      decoder.destroy();
      self.engine.close();
    };

    const closed = (reason: string, details?: unknown) => {
      ended();
      attempts = 0;
      self._fire("close", reason, details);
      each((socket) => socket._close(reason, details));
      reconnect();
    };

    const reconnect = (): unknown => {
      if (!o.reconnection || released || self._engine) return;
      // Of these three zero means the default.
      if (attempts >= (o.reconnectionAttempts || Infinity)) {
        attempts = 0;
        return self._fire("reconnect_failed");
      }
      const retry = (self._retry = () => {
        // Both times it may have been called off.
        if (self._retry && self._fire("reconnect_attempt", ++attempts)._retry) self.open();
      });
      // Spread around the middle, and within the maximum also when that is
      // reached, so that not all clients come at once.
      const jitter = o.randomizationFactor!;
      timer = later(
        retry,
        Math.min((o.reconnectionDelay || 1000) * 2 ** attempts, (o.reconnectionDelayMax || 5000) / (1 + jitter)) * (1 - jitter + 2 * jitter * Math.random()),
        self,
      );
      if (!__CORE__) look!(true);
    };

    // Apart from the decoder: what a listener throws is no parse error.
    decoder.on("decoded", (packet) =>
      soon(() => {
        self._fire("packet", packet);
        const socket = self.nsps[packet.nsp];
        if (socket?.active) socket._packet(packet);
      }),
    );

    Object.assign(self, {
      uri,
      nsps: {},
      _stats: { connects: 0, bytesIn: 0, bytesOut: 0 },

      open(done) {
        if (self._engine) return self;
        clearTimeout(timer);
        self._retry = released = undefined;
        let opening = true;
        if (!__CORE__) look!(true);
        const fail = (error: Error) => {
          const tried = attempts;
          ended();
          failed(error);
          if (done) done(error);
          else {
            reconnect();
            if (tried) self._fire("reconnect_error", error);
          }
        };
        const engine: Engine = (self._engine = self.engine = new Engine(uri, o, (event, a, b) => {
          if (engine != self._engine) return;
          if (event == "open") {
            clearTimeout(timer);
            opening = false;
            self._stats.connects++;
            self._fire(event);
            each((socket) => socket._open());
            if (done) done();
            if (attempts) self._fire("reconnect", attempts);
            attempts = 0;
          } else if (event == "message") {
            self._stats.bytesIn += lengthOf(a as RawData);
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
        if (o.timeout !== false) timer = later(() => fail(Error("timeout")), o.timeout!, self);
        return self;
      },

      socket(nsp, opts) {
        const socket = (self.nsps[nsp] ||= new Socket(self, nsp, opts));
        if (o.autoConnect && !socket.active) socket.connect();
        return socket;
      },

      _close() {
        released = true;
        each(() => (released = undefined));
        if (released && self.engine) closed("forced close");
      },

      _send(packet) {
        const messages = encoder.encode(packet) as RawData[];
        if (!__CORE__) for (const message of messages) check(message, self.engine._handshake.maxPayload!);
        for (const message of messages) {
          self._stats.bytesOut += lengthOf(message);
          self.engine.write(message);
        }
      },
    } as Partial<Manager>);
    self.connect = self.open;
    if (o.autoConnect) self.open();
  }
}

export interface Manager {
  readonly uri?: string;
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
  _stats: Pick<Stats, "connects" | "bytesIn" | "bytesOut">;
  /** The engine, from the attempt to connect until its end. @internal */
  _engine?: Engine;
  /** While an attempt waits for its time: makes it at once. @internal */
  _retry?: () => void;
  /** Closes the connection unless another socket uses it. @internal */
  _close(): void;
  /** Sends a packet, or throws because the server would refuse it. @internal */
  _send(packet: Packet): void;
}

// Reads or sets an option.
for (const name in defaults) {
  (Manager.prototype as never as Record<string, unknown>)[name] = function (this: Manager, value?: unknown) {
    if (value == null) return this.opts[name];
    this.opts[name] = value;
    if (!this.opts.reconnection) this._retry = undefined;
    return this;
  };
}
