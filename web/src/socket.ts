import { explain, warn } from "./dev";
import { Emitter } from "./emitter";
import type { Manager } from "./manager";
import { ACK, CONNECT, DISCONNECT, EVENT, type Packet, reserved } from "./parser";
import { later, soon } from "./env";
import type {
  AckResult,
  AnyListener,
  DecorateAcknowledgements,
  DefaultEventsMap,
  EventNames,
  EventParams,
  WithoutAck,
} from "./types";

type AuthData = Record<string, unknown>;

/**
 * What is sent when joining a namespace, or a function that is asked each time
 * and answers by what it is given, or by what it returns.
 */
export type Auth = AuthData | ((send: (data: AuthData) => void) => void | AuthData | Promise<AuthData | void>);

/** The options of a Socket. */
export interface SocketOptions {
  auth?: Auth;
  /** How often to send an event again that is not acknowledged. Default: never. */
  retries?: number;
  /** Milliseconds that an acknowledgement may take. Default: for ever. */
  ackTimeout?: number;
  /** How many events wait while there is no connection. Default 10,000. */
  bufferLimit?: number;
  /** Which event is dropped when more would wait. Default "oldest". */
  bufferPolicy?: "oldest" | "newest";
}

/** What a socket knows of its connection. */
export interface Stats {
  /** Milliseconds that the last acknowledgement took. */
  latency?: number;
  /** Received over the connection: bytes, and characters of text. */
  bytesIn: number;
  /** Sent over the connection: bytes, and characters of text. */
  bytesOut: number;
  /** How often there was a connection. */
  connects: number;
  /** Events that wait for a connection, or for those before them. */
  buffered: number;
  /** Events that were dropped because too many waited. */
  dropped: number;
}

interface SocketEvents {
  connect: () => void;
  connect_error: (error: Error & { data?: unknown; description?: unknown; context?: unknown }) => void;
  disconnect: (reason: string, details?: unknown) => void;
}

interface Flags {
  volatile?: boolean;
  timeout?: number;
  signal?: AbortSignal;
  _fromQueue?: boolean;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Ack = ((...args: any[]) => void) & { _withError?: boolean };

/** Ends the wait for an acknowledgement: with arguments, or with an error. */
type Settle = (error: Error | null, args?: unknown[]) => void;

interface Queued {
  _data: unknown[];
  _flags: Flags;
  _tries: number;
  _pending?: boolean;
}

/** The client's side of one namespace. */
export class Socket<Listen extends object = DefaultEventsMap, Emit extends object = Listen> extends Emitter<Listen, Emit, SocketEvents> {
  constructor(
    readonly io: Manager,
    readonly nsp: string,
    opts: SocketOptions = {},
  ) {
    super();
    // eslint-disable-next-line @typescript-eslint/no-this-alias
    const self = this;
    const { retries, ackTimeout } = opts;
    const acks: Record<number, Settle> = {};
    const queue: Queued[] = [];
    let ids = 0;
    let dropped = 0;
    let latency: number | undefined;
    let asked: unknown; // the engine over which it joined, or asked to
    let pid: string | undefined;
    let offset: string | undefined;

    const send = (type: number, data?: unknown, id?: number) => io._send({ type, nsp, data, id });

    /** Sends an event; `late` if nobody is there to catch. */
    const dispatch = ({ data, id }: Packet, late?: unknown) => {
      for (const listener of self._anyOutgoing) listener.apply(self, data as [string]);
      try {
        send(EVENT, data, id);
      } catch (error) {
        if (acks[id!]) acks[id!](error as Error);
        else if (late) {
          soon(() => {
            throw error;
          });
        }
        else throw error;
      }
    };

    const drain = (force?: boolean) => {
      const entry = queue[0];
      if (self.connected && entry && (!entry._pending || force)) {
        entry._pending = true;
        entry._tries++;
        self._flags = entry._flags;
        (self as Socket).emit(...(entry._data as [string]));
      }
    };

    const deliver = (args: unknown[]) => {
      for (const listener of self._any) listener.apply(self, args as [string]);
      self._fire(...(args as [string]));
      const last = args[args.length - 1];
      if (pid && typeof last == "string") offset = last;
    };

    /** Will not connect by itself any more. */
    const leave = (reason?: string | false) => {
      self.active = false;
      asked = 0;
      io._release();
      if (reason) self._closed(reason);
    };

    const refused = (error: Error) => {
      if (__DEV__) explain(error);
      leave();
      self._fire("connect_error", error);
    };

    Object.assign(self, {
      connected: false,
      recovered: false,
      active: false,
      auth: opts.auth,
      receiveBuffer: [],
      sendBuffer: [],
      acks,
      _flags: {},
      _any: [],
      _anyOutgoing: [],

      connect() {
        if (!self.connected) {
          self.active = true;
          if (!io._reconnecting) io.open();
          if (io._readyState == "open") void self._opened();
        }
        return self;
      },

      disconnect() {
        const { connected } = self;
        if (connected) send(DISCONNECT);
        leave(connected && "io client disconnect");
        return self;
      },

      emit(event: string, ...args: unknown[]) {
        const { _flags: flags } = self;
        const { timeout = ackTimeout, signal } = flags;
        self._flags = {};
        if (reserved.test(event)) throw Error(`"${event}" is a reserved event name`);
        const data = [event, ...args];
        const ack = typeof args[args.length - 1] == "function" && (data.pop() as Ack);
        if (retries && !flags._fromQueue && !flags.volatile) {
          // Sent one by one, until acknowledged.
          const entry: Queued = { _data: data, _flags: { ...flags, _fromQueue: true }, _tries: 0 };
          const answered: Ack = (error, ...values) => {
            if (entry != queue[0]) return; // a late answer to an earlier try
            if (!error || entry._tries > retries) {
              queue.shift();
              if (ack) ack(error, ...values);
            }
            entry._pending = false;
            drain();
          };
          answered._withError = true;
          data.push(answered);
          queue.push(entry);
          drain();
          return self;
        }
        const packet: Packet = { type: EVENT, nsp, data };
        if (ack) {
          const id = (packet.id = ids++);
          const began = Date.now();
          const settle: Settle = (acks[id] = (error, args = []) => {
            delete acks[id];
            clearTimeout(timer);
            if (signal) signal.removeEventListener("abort", abort);
            if (error) self.sendBuffer = self.sendBuffer.filter((other) => other != packet);
            else latency = Date.now() - began;
            if (ack._withError || timeout !== undefined || signal) ack.call(self, error, ...args);
            else if (!error) ack.apply(self, args);
          });
          const abort = () => settle(signal!.reason || Error("aborted"));
          const timer = timeout === undefined ? timeout : later(() => settle(Error("operation has timed out")), timeout, io.opts.autoUnref);
          if (signal) {
            if (signal.aborted) {
              abort();
              return self;
            }
            signal.addEventListener("abort", abort);
          }
        }
        const { engine } = io;
        if (!flags.volatile || (engine && engine.readyState == "open" && engine.transport.writable)) {
          if (self.connected && !engine._expired()) dispatch(packet);
          else if (self.sendBuffer.push(packet) > (opts.bufferLimit ?? 1e4)) {
            const { id } = self.sendBuffer[opts.bufferPolicy == "newest" ? "pop" : "shift"]()!;
            dropped++;
            if (acks[id!]) acks[id!](Error("dropped"));
            if (__DEV__) warn("buffer", "events are dropped because too many wait for the connection (bufferLimit)");
          }
        }
        return self;
      },

      stats: () => ({ ...io._stats, latency, buffered: self.sendBuffer.length + queue.length, dropped }),

      async _opened() {
        const { engine } = io;
        const { auth } = self;
        if (asked == engine) return;
        asked = engine;
        let data;
        let error: unknown;
        try {
          data = await (typeof auth == "function" ? (auth.length ? new Promise(auth as never) : (auth as () => unknown)()) : auth);
        } catch (err) {
          error = err;
        }
        // An answer that was long in coming may be for a connection of the past.
        if (asked == engine && engine == io.engine) {
          if (error) refused(error as Error);
          else send(CONNECT, pid ? { pid, offset, ...(data as object) } : data);
        }
      },

      _receive({ type, data, id }) {
        const args = (data || []) as unknown[];
        if (type == CONNECT) {
          const { sid, pid: given } = args as { sid?: string; pid?: string };
          if (!sid) return void self._fire("connect_error", Error(__DEV__ ? "the server speaks version 2 of Socket.IO, which this client does not" : "version 2"));
          self.id = sid;
          self.recovered = !!given && pid == given;
          pid = given;
          self.connected = true;
          self.receiveBuffer.splice(0).map(deliver);
          self.sendBuffer.splice(0).map((packet) => dispatch(packet, 1));
          drain(true);
          self._fire("connect");
        } else if (type == EVENT) {
          if (id != null) {
            args.push((...answer: unknown[]) => {
              if (id != null) send(ACK, answer, id);
              id = undefined;
            });
          }
          if (self.connected) deliver(args);
          else self.receiveBuffer.push(args);
        } else if (type == ACK) {
          if (acks[id!]) acks[id!](null, args);
        } else if (type == DISCONNECT) leave("io server disconnect");
        // A string is what a server of revision 4 sends.
        else refused(Object.assign(Error((args as never as Error).message || (data as string)), { data: (args as never as { data: unknown }).data }));
      },

      _closed(reason, details) {
        asked = 0;
        self.connected = false;
        self.id = undefined;
        self._fire("disconnect", reason, details);
        for (const id of Object.keys(acks)) {
          // Unless it is still going to be sent.
          if (!self.sendBuffer.some((packet) => packet.id == (id as never))) acks[id as never](Error("socket has been disconnected"));
        }
      },
    } as Partial<Socket>);
    self.open = self.connect;
    self.close = self.disconnect;
  }

  /** Makes the next event one that is dropped if it cannot leave at once. */
  get volatile(): this {
    this._flags.volatile = true;
    return this;
  }

  get disconnected(): boolean {
    return !this.connected;
  }

  /** Limits the time for the answer to the next event, in milliseconds. */
  timeout(ms: number): Socket<Listen, DecorateAcknowledgements<Emit>> {
    this._flags.timeout = ms;
    return this as never;
  }

  /** Lets a signal end the wait for the answer to the next event. */
  signal(signal: AbortSignal): Socket<Listen, DecorateAcknowledgements<Emit>> {
    this._flags.signal = signal;
    return this as never;
  }

  /** Without an effect here: browsers compress as they like. */
  compress(_: boolean): this {
    return this;
  }

  /** Sends an event called "message". */
  send(...args: unknown[]): this {
    return this.emit("message" as never, ...(args as never));
  }

  /** Sends an event and resolves with the answer. */
  emitWithAck<E extends EventNames<Emit>>(event: E, ...args: WithoutAck<EventParams<Emit, E>>): Promise<AckResult<EventParams<Emit, E>>> {
    return new Promise((resolve, reject) => {
      const ack: Ack = (error, value) => (error ? reject(error) : resolve(value));
      ack._withError = true;
      this.emit(event, ...([...args, ack] as never));
    });
  }
}

export interface Socket<Listen extends object, Emit extends object> {
  /** Undefined while not connected. */
  id?: string;
  connected: boolean;
  /** Whether the server restored what was missed during the last cut. */
  recovered: boolean;
  /** Whether it will connect, and reconnect, by itself. */
  active: boolean;
  auth?: Auth;
  receiveBuffer: unknown[][];
  sendBuffer: Packet[];
  /** Connects. */
  connect(): this;
  /** The same as connect. */
  open(): this;
  /** Leaves the namespace, and closes a connection that nobody else uses. */
  disconnect(): this;
  /** The same as disconnect. */
  close(): this;
  /** Sends an event; a function as the last argument gets the answer. */
  emit<E extends EventNames<Emit>>(event: E, ...args: EventParams<Emit, E>): this;
  /** What is known of the connection. */
  stats(): Stats;
  /** Calls the listener for every event that arrives, before its listeners. */
  onAny(listener: AnyListener): this;
  prependAny(listener: AnyListener): this;
  offAny(listener?: AnyListener): this;
  listenersAny(): AnyListener[];
  /** Calls the listener for every event that is sent. */
  onAnyOutgoing(listener: AnyListener): this;
  prependAnyOutgoing(listener: AnyListener): this;
  offAnyOutgoing(listener?: AnyListener): this;
  listenersAnyOutgoing(): AnyListener[];

  /** @internal */
  _flags: Flags;
  /** @internal */
  _any: AnyListener[];
  /** @internal */
  _anyOutgoing: AnyListener[];
  /** The connection is open: joins the namespace. @internal */
  _opened(): Promise<void>;
  /** @internal */
  _receive(packet: Packet): void;
  /** @internal */
  _closed(reason: string, details?: unknown): void;
}

// Both kinds of catch-all listeners; lists are replaced, never changed.
for (const [name, key] of [["Any", /* @__KEY__ */ "_any"], ["AnyOutgoing", /* @__KEY__ */ "_anyOutgoing"]] as const) {
  Object.assign(Socket.prototype, {
    ["on" + name](this: Socket, listener: AnyListener) {
      this[key] = [...this[key], listener];
      return this;
    },
    ["prepend" + name](this: Socket, listener: AnyListener) {
      this[key] = [listener, ...this[key]];
      return this;
    },
    ["off" + name](this: Socket, listener?: AnyListener) {
      const at = this[key].indexOf(listener!);
      this[key] = this[key].filter((_, i) => listener && i != at);
      return this;
    },
    ["listeners" + name](this: Socket) {
      return this[key];
    },
  });
}
