import { Emitter, on } from "./emitter";
import { later } from "./env";
import type { Manager } from "./manager";
import { type Packet, PacketType, reserved } from "./parser";
import type {
  AckResult,
  AnyListener,
  DecorateAcknowledgements,
  DefaultEventsMap,
  EventNames,
  EventParams,
  WithoutAck,
} from "./types";

/** What is sent when joining a namespace, or a function that is asked each time. */
export type Auth = Record<string, unknown> | ((send: (data: Record<string, unknown>) => void) => void);

/** The options of a Socket. */
export interface SocketOptions {
  auth?: Auth;
  /** How often to send an event again that is not acknowledged. Default: never. */
  retries?: number;
  /** Milliseconds that an acknowledgement may take. Default: for ever. */
  ackTimeout?: number;
}

interface SocketEvents {
  connect: () => void;
  connect_error: (error: Error & { data?: unknown; description?: unknown; context?: unknown }) => void;
  disconnect: (reason: string, details?: unknown) => void;
}

interface Flags {
  compress?: boolean;
  volatile?: boolean;
  timeout?: number;
  fromQueue?: boolean;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Ack = ((...args: any[]) => void) & { withError?: boolean };

interface Queued {
  args: unknown[];
  flags: Flags;
  tries: number;
  pending: boolean;
}

/** The client's side of one namespace. */
export class Socket<
  Listen extends object = DefaultEventsMap,
  Emit extends object = Listen,
> extends Emitter<Listen, Emit, SocketEvents> {
  /** Undefined while not connected. */
  id?: string;
  connected = false;
  /** Whether the server restored what was missed during the last cut. */
  recovered = false;
  auth?: Auth;
  receiveBuffer: unknown[][] = [];
  sendBuffer: Packet[] = [];

  private readonly opts: SocketOptions;
  private flags: Flags = {};
  private _ids = 0;
  private readonly acks = new Map<number, Ack>();
  private _subs?: (() => void)[];
  private _pid?: string;
  private _offset?: string;
  private readonly _queue: Queued[] = [];
  private readonly _anyListeners: AnyListener[] = [];
  private readonly _anyOutgoing: AnyListener[] = [];

  constructor(
    readonly io: Manager,
    readonly nsp: string,
    opts: SocketOptions = {},
  ) {
    super();
    this.opts = opts;
    this.auth = opts.auth;
    if (io._autoConnect) this.open();
  }

  get disconnected(): boolean {
    return !this.connected;
  }

  /** Whether it will connect, and reconnect, by itself. */
  get active(): boolean {
    return !!this._subs;
  }

  /** Connects. */
  connect(): this {
    if (this.connected) return this;
    if (!this._subs) {
      this._subs = [
        on(this.io, "open", () => this._opened()),
        on(this.io, "packet", (packet: Packet) => this._receive(packet)),
        on(this.io, "error", (error: Error) => {
          if (!this.connected) this._fire("connect_error", error);
        }),
        on(this.io, "close", (reason: string, details: unknown) => this._closed(reason, details)),
      ];
    }
    if (!this.io._reconnecting) this.io.open();
    if (this.io._readyState == "open") this._opened();
    return this;
  }

  /** The same as connect. */
  open(): this {
    return this.connect();
  }

  /** Leaves the namespace, and closes a connection that nobody else uses. */
  disconnect(): this {
    if (this.connected) this._packet({ type: PacketType.DISCONNECT });
    this._unsubscribe();
    if (this.connected) this._closed("io client disconnect");
    return this;
  }

  /** The same as disconnect. */
  close(): this {
    return this.disconnect();
  }

  /** Sends an event called "message". */
  send(...args: unknown[]): this {
    return this.emit("message" as never, ...(args as never));
  }

  /** Sends an event; a function as the last argument gets the answer. */
  override emit<E extends EventNames<Emit>>(event: E, ...args: EventParams<Emit, E>): this {
    if (reserved.test(event)) throw new Error(`"${event}" is a reserved event name`);
    const data: unknown[] = [event, ...(args as unknown[])];
    const { flags } = this;
    if (this.opts.retries && !flags.fromQueue && !flags.volatile) {
      this._enqueue(data);
      return this;
    }
    const packet: Packet = { type: PacketType.EVENT, nsp: this.nsp, data };
    packet.options = { compress: flags.compress !== false };
    if (typeof data[data.length - 1] == "function") {
      packet.id = this._ids++;
      this._register(packet.id, data.pop() as Ack);
    }
    const { engine } = this.io;
    const writable = engine && engine.readyState == "open" && engine.transport.writable;
    if (!(flags.volatile && !writable)) {
      if (this.connected && !engine._pingExpired()) this._dispatch(packet);
      else this.sendBuffer.push(packet);
    }
    this.flags = {};
    return this;
  }

  /** Sends an event and resolves with the answer. */
  emitWithAck<E extends EventNames<Emit>>(
    event: E,
    ...args: WithoutAck<EventParams<Emit, E>>
  ): Promise<AckResult<EventParams<Emit, E>>> {
    return new Promise((resolve, reject) => {
      const ack: Ack = (error, value) => (error ? reject(error) : resolve(value));
      ack.withError = true;
      this.emit(event, ...([...(args as unknown[]), ack] as never));
    });
  }

  /** Makes the next event one that may be compressed, or not. */
  compress(yes: boolean): this {
    this.flags.compress = yes;
    return this;
  }

  /** Makes the next event one that is dropped if it cannot leave at once. */
  get volatile(): this {
    this.flags.volatile = true;
    return this;
  }

  /** Limits the time for the answer to the next event, in milliseconds. */
  timeout(ms: number): Socket<Listen, DecorateAcknowledgements<Emit>> {
    this.flags.timeout = ms;
    return this as never;
  }

  /** Calls the listener for every event that arrives. */
  onAny(listener: AnyListener): this {
    this._anyListeners.push(listener);
    return this;
  }

  prependAny(listener: AnyListener): this {
    this._anyListeners.unshift(listener);
    return this;
  }

  offAny(listener?: AnyListener): this {
    return remove(this, this._anyListeners, listener);
  }

  listenersAny(): AnyListener[] {
    return this._anyListeners;
  }

  /** Calls the listener for every event that is sent. */
  onAnyOutgoing(listener: AnyListener): this {
    this._anyOutgoing.push(listener);
    return this;
  }

  prependAnyOutgoing(listener: AnyListener): this {
    this._anyOutgoing.unshift(listener);
    return this;
  }

  offAnyOutgoing(listener?: AnyListener): this {
    return remove(this, this._anyOutgoing, listener);
  }

  listenersAnyOutgoing(): AnyListener[] {
    return this._anyOutgoing;
  }

  private _packet(packet: Partial<Packet>): void {
    packet.nsp = this.nsp;
    this.io._send(packet as Packet);
  }

  private _dispatch(packet: Packet): void {
    for (const listener of this._anyOutgoing.slice()) listener.apply(this, packet.data as [string]);
    this._packet(packet);
  }

  /** Keeps what is called with the answer of packet `id`. */
  private _register(id: number, ack: Ack): void {
    const ms = this.flags.timeout ?? this.opts.ackTimeout;
    if (ms === undefined) {
      this.acks.set(id, ack);
      return;
    }
    const timer = later(() => {
      this.acks.delete(id);
      this.sendBuffer = this.sendBuffer.filter((packet) => packet.id != id);
      ack.call(this, new Error("operation has timed out"));
    }, ms);
    const inTime: Ack = (...args) => {
      clearTimeout(timer);
      ack.apply(this, args);
    };
    inTime.withError = true;
    this.acks.set(id, inTime);
  }

  /** Adds an event to those that are sent, one by one, until acknowledged. */
  private _enqueue(data: unknown[]): void {
    const ack = typeof data[data.length - 1] == "function" ? (data.pop() as Ack) : undefined;
    const entry: Queued = { args: data, flags: { ...this.flags, fromQueue: true }, tries: 0, pending: false };
    const answered: Ack = (error, ...values) => {
      if (entry != this._queue[0]) return; // a late answer to an earlier try
      if (!error || entry.tries > this.opts.retries!) {
        this._queue.shift();
        if (ack) ack(error || null, ...values);
      }
      entry.pending = false;
      this._drain();
    };
    answered.withError = true;
    data.push(answered);
    this.flags = {};
    this._queue.push(entry);
    this._drain();
  }

  private _drain(force?: boolean): void {
    const entry = this._queue[0];
    if (!this.connected || !entry || (entry.pending && !force)) return;
    entry.pending = true;
    entry.tries++;
    this.flags = entry.flags;
    this.emit(...(entry.args as [never, ...EventParams<Emit, never>]));
  }

  private _opened(): void {
    const { engine } = this.io;
    const join = (data?: Record<string, unknown>) => {
      // An answer that was long in coming may be for a connection of the past.
      if (engine != this.io.engine || this.connected || !this._subs) return;
      this._packet({
        type: PacketType.CONNECT,
        data: this._pid ? { pid: this._pid, offset: this._offset, ...data } : data,
      });
    };
    if (typeof this.auth == "function") this.auth(join);
    else join(this.auth);
  }

  private _receive({ type, nsp, data, id }: Packet): void {
    if (nsp != this.nsp) return;
    switch (type) {
      case PacketType.CONNECT: {
        const { sid, pid } = (data || {}) as { sid?: string; pid?: string };
        if (sid) this._joined(sid, pid);
        else this._fire("connect_error", new Error("the server speaks version 2 of Socket.IO, which this client does not"));
        break;
      }
      case PacketType.EVENT: {
        const args = (data || []) as unknown[];
        if (id != null) args.push(this._answer(id));
        if (this.connected) this._deliver(args);
        else this.receiveBuffer.push(args);
        break;
      }
      case PacketType.ACK: {
        const ack = this.acks.get(id!);
        const args = (data || []) as unknown[];
        if (!ack) break; // too late, or twice
        this.acks.delete(id!);
        if (ack.withError) args.unshift(null);
        ack.apply(this, args);
        break;
      }
      case PacketType.DISCONNECT:
        this._unsubscribe();
        this._closed("io server disconnect");
        break;
      case PacketType.CONNECT_ERROR: {
        this._unsubscribe();
        // A string is what a server of revision 4 sends.
        const { message, data: details } = (typeof data == "string" ? { message: data } : data || {}) as {
          message?: string;
          data?: unknown;
        };
        this._fire("connect_error", Object.assign(new Error(message), { data: details }));
      }
    }
  }

  private _joined(id: string, pid?: string): void {
    this.id = id;
    this.recovered = !!pid && this._pid == pid;
    this._pid = pid;
    this.connected = true;
    for (const args of this.receiveBuffer.splice(0)) this._deliver(args);
    for (const packet of this.sendBuffer.splice(0)) this._dispatch(packet);
    this._drain(true);
    this._fire("connect");
  }

  private _deliver(args: unknown[]): void {
    for (const listener of this._anyListeners.slice()) listener.apply(this, args as [string]);
    this._fire(...(args as [string]));
    const last = args[args.length - 1];
    if (this._pid && typeof last == "string") this._offset = last;
  }

  /** What a listener calls to answer the packet `id`. */
  private _answer(id: number): Ack {
    let done = false;
    return (...data) => {
      if (done) return;
      done = true;
      this._packet({ type: PacketType.ACK, id, data });
    };
  }

  private _closed(reason: string, details?: unknown): void {
    this.connected = false;
    this.id = undefined;
    this._fire("disconnect", reason, details);
    for (const [id, ack] of [...this.acks]) {
      if (this.sendBuffer.some((packet) => packet.id == id)) continue; // it is still going to be sent
      this.acks.delete(id);
      if (ack.withError) ack.call(this, new Error("socket has been disconnected"));
    }
  }

  private _unsubscribe(): void {
    if (this._subs) for (const off of this._subs) off();
    this._subs = undefined;
    this.io._release();
  }
}

function remove<T>(self: T, listeners: AnyListener[], listener?: AnyListener): T {
  const at = listener ? listeners.indexOf(listener) : 0;
  if (at >= 0) listeners.splice(at, listener ? 1 : listeners.length);
  return self;
}
