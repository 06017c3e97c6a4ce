import { Backoff } from "./backoff";
import { Emitter, on } from "./emitter";
import { Engine, type EngineOptions } from "./engine/engine";
import type { RawData } from "./engine/packet";
import { later, soon, type Timer } from "./env";
import * as json from "./parser";
import { Socket, type SocketOptions } from "./socket";

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
  parser?: json.Parser;
}

interface ManagerEvents {
  open: () => void;
  error: (error: Error) => void;
  ping: () => void;
  packet: (packet: json.Packet) => void;
  close: (reason: string, details?: unknown) => void;
  reconnect: (attempt: number) => void;
  reconnect_attempt: (attempt: number) => void;
  reconnect_error: (error: Error) => void;
  reconnect_failed: () => void;
}

/** A connection that comes back, shared by the sockets of several namespaces. */
export class Manager extends Emitter<ManagerEvents> {
  engine!: Engine;
  readonly opts: ManagerOptions;
  /** @internal */
  _readyState: "opening" | "open" | "closed" = "closed";
  /** @internal */
  _reconnecting = false;
  /** @internal */
  readonly _autoConnect: boolean;

  readonly uri: string;
  private readonly _nsps = new Map<string, Socket>();
  private readonly _backoff: Backoff;
  private readonly _encoder: InstanceType<json.Parser["Encoder"]>;
  private readonly _decoder: InstanceType<json.Parser["Decoder"]>;
  private _stopped = false;
  private _subs: (() => void)[] = [];
  private _timer?: Timer;

  constructor(uri: string, opts: ManagerOptions = {}) {
    super();
    this.uri = uri;
    this.opts = { path: "/socket.io", reconnection: true, timeout: 20000, ...opts };
    const { reconnectionDelay, reconnectionDelayMax, randomizationFactor, parser } = this.opts;
    this._backoff = new Backoff(reconnectionDelay || 1000, reconnectionDelayMax || 5000, randomizationFactor ?? 0.5);
    const codec = (parser || json) as json.Parser;
    this._encoder = new codec.Encoder();
    this._decoder = new codec.Decoder();
    this._autoConnect = this.opts.autoConnect !== false;
    if (this._autoConnect) this.open();
  }

  /** Reads or sets whether it comes back by itself. */
  reconnection(): boolean;
  reconnection(yes: boolean): this;
  reconnection(yes?: boolean): this | boolean {
    if (yes === undefined) return !!this.opts.reconnection;
    this.opts.reconnection = yes;
    if (!yes) this._stopped = true;
    return this;
  }

  reconnectionAttempts(): number;
  reconnectionAttempts(n: number): this;
  reconnectionAttempts(n?: number): this | number {
    if (n === undefined) return this.opts.reconnectionAttempts || Infinity;
    this.opts.reconnectionAttempts = n;
    return this;
  }

  reconnectionDelay(): number;
  reconnectionDelay(ms: number): this;
  reconnectionDelay(ms?: number): this | number {
    if (ms === undefined) return this._backoff.min;
    this._backoff.min = ms;
    return this;
  }

  reconnectionDelayMax(): number;
  reconnectionDelayMax(ms: number): this;
  reconnectionDelayMax(ms?: number): this | number {
    if (ms === undefined) return this._backoff.max;
    this._backoff.max = ms;
    return this;
  }

  randomizationFactor(): number;
  randomizationFactor(factor: number): this;
  randomizationFactor(factor?: number): this | number {
    if (factor === undefined) return this._backoff.jitter;
    this._backoff.jitter = factor;
    return this;
  }

  timeout(): number | false;
  timeout(ms: number | false): this;
  timeout(ms?: number | false): this | number | false {
    if (ms === undefined) return this.opts.timeout!;
    this.opts.timeout = ms;
    return this;
  }

  /** Connects. With a callback it does not try again by itself. */
  open(done?: (error?: Error) => void): this {
    if (this._readyState != "closed") return this;
    this._readyState = "opening";
    this._stopped = false;
    const engine = (this.engine = new Engine(this.uri, this.opts));
    const failed = (error: Error) => {
      this._cleanup();
      this._readyState = "closed";
      this._fire("error", error);
      if (done) done(error);
      else this._retryFirst();
    };
    this._subs.push(
      on(engine, "open", () => {
        this._opened();
        if (done) done();
      }),
      on(engine, "error", failed),
    );
    const { timeout } = this.opts;
    if (timeout !== false) {
      const timer = later(
        () => {
          this._cleanup();
          engine.close();
          failed(new Error("timeout"));
        },
        timeout!,
        this.opts.autoUnref,
      );
      this._subs.push(() => clearTimeout(timer));
    }
    return this;
  }

  /** The same as open. */
  connect(done?: (error?: Error) => void): this {
    return this.open(done);
  }

  /** The socket of a namespace. */
  socket(nsp: string, opts?: SocketOptions): Socket {
    let socket = this._nsps.get(nsp);
    if (!socket) this._nsps.set(nsp, (socket = new Socket(this, nsp, opts)));
    else if (this._autoConnect && !socket.active) socket.connect();
    return socket;
  }

  /** @internal */
  _has(nsp: string): boolean {
    return this._nsps.has(nsp);
  }

  /** Closes the connection unless another socket uses it. @internal */
  _release(): void {
    for (const socket of this._nsps.values()) if (socket.active) return;
    this._close();
  }

  /** @internal */
  _close(): void {
    this._stopped = true;
    this._reconnecting = false;
    this._closed("forced close");
  }

  /** @internal */
  _send(packet: json.Packet): void {
    for (const message of this._encoder.encode(packet)) this.engine.write(message as RawData, packet.options);
  }

  /** Tries again after the very first attempt failed. */
  private _retryFirst(): void {
    if (!this._reconnecting && this.opts.reconnection && !this._backoff.attempts) this._reconnect();
  }

  private _opened(): void {
    this._cleanup();
    this._readyState = "open";
    this._fire("open");
    const { engine } = this;
    this._subs.push(
      on(engine, "ping", () => this._fire("ping")),
      on(engine, "data", (data: unknown) => {
        try {
          this._decoder.add(data);
        } catch (error) {
          this._closed("parse error", error);
        }
      }),
      on(engine, "error", (error: Error) => this._fire("error", error)),
      on(engine, "close", (reason: string, details: unknown) => this._closed(reason, details)),
      // Apart from the decoder: what a listener throws is no parse error.
      on(this._decoder, "decoded", (packet: json.Packet) => soon(() => this._fire("packet", packet))),
    );
  }

  private _closed(reason: string, details?: unknown): void {
    this._cleanup();
    if (this.engine) this.engine.close();
    this._backoff.attempts = 0;
    this._readyState = "closed";
    this._fire("close", reason, details);
    if (this.opts.reconnection && !this._stopped) this._reconnect();
  }

  private _cleanup(): void {
    for (const off of this._subs.splice(0)) off();
    this._decoder.destroy();
    clearTimeout(this._timer);
  }

  private _reconnect(): void {
    if (this._reconnecting || this._stopped) return;
    if (this._backoff.attempts >= this.reconnectionAttempts()) {
      this._backoff.attempts = 0;
      this._fire("reconnect_failed");
      return;
    }
    this._reconnecting = true;
    this._timer = later(
      () => {
        if (this._stopped) return;
        this._fire("reconnect_attempt", this._backoff.attempts);
        if (this._stopped) return; // by a listener
        this.open((error) => {
          this._reconnecting = false;
          if (error) {
            this._reconnect();
            this._fire("reconnect_error", error);
          } else {
            const { attempts } = this._backoff;
            this._backoff.attempts = 0;
            this._fire("reconnect", attempts);
          }
        });
      },
      this._backoff.next(),
      this.opts.autoUnref,
    );
  }
}
