import { explain, warn } from "./dev";
import { Emitter } from "./emitter";
import type { Manager } from "./manager";
import { Type } from "./kinds";
import { type Packet, reserved } from "./parser";
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
  /** The acknowledgement takes an error first. */
  _withError?: boolean;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Ack = (...args: any[]) => void;

/** Ends the wait for an acknowledgement: with arguments, or with an error. */
type Settle = (error: Error | null, ...args: unknown[]) => void;

/** The client's side of one namespace. */
export class Socket<Listen extends object = DefaultEventsMap, Emit extends object = Listen> extends Emitter<Listen, Emit, SocketEvents> {
  constructor(io: Manager, nsp: string, opts: SocketOptions = {}) {
    super();
    // eslint-disable-next-line @typescript-eslint/no-this-alias
    const self = this;
    const acks: Record<number, Settle> = {};
    const queue: (() => void)[] = []; // attempts at events that are sent one by one, until acknowledged
    let busy: unknown; // with the first of them
    let ids = 0;
    let dropped = 0;
    let latency: number | undefined;
    let asked: unknown; // the engine over which it joined, or asked to
    let pid: string | undefined;
    let offset: string | undefined;

    const send = (type: number, data?: unknown, id?: number) => io._send({ type, nsp, data, id });

    const dispatch = (packet: Packet) => {
      catchAll("AnyOutgoing", packet.data as unknown[]);
      try {
        io._send(packet);
      } catch (error) {
        const settle = acks[packet.id!];
        if (!settle) throw error;
        settle(error as Error);
      }
    };

    const drain = () => {
      if (self.connected && !busy && queue[0]) {
        busy = 1;
        queue[0]();
      }
    };

    const post = (data: unknown[], flags: Flags, ack?: Ack | false) => {
      const { timeout = opts.ackTimeout, signal, volatile } = flags;
      const packet: Packet = { type: Type.Event, nsp, data };
      if (ack) {
        const id = (packet.id = ids++);
        const began = Date.now();
        const settle: Settle = (acks[id] = (error, ...args) => {
          delete acks[id];
          clearTimeout(timer as Timer);
          signal?.removeEventListener("abort", abort);
          self.sendBuffer = self.sendBuffer.filter((other) => other != packet);
          if (!error) latency = Date.now() - began;
          if ((flags._withError ?? timeout ?? signal) != null) ack.call(self, error, ...args);
          else if (!error) ack.apply(self, args);
        });
        const abort = () => settle(signal!.reason || Error("abort"));
        const timer = timeout != null && later(() => settle(Error("operation has timed out")), timeout, io);
        if (signal?.aborted) return abort();
        signal?.addEventListener("abort", abort);
      }
      const { engine } = io;
      if (!volatile || (engine?.id && engine.transport.writable)) {
        if (self.connected && !engine._expired()) dispatch(packet);
        else if (self.sendBuffer.push(packet) > (opts.bufferLimit ?? 1e4)) {
          dropped++;
          acks[self.sendBuffer[opts.bufferPolicy == "newest" ? "pop" : "shift"]()!.id!]?.(Error("dropped"));
          if (__DEV__) warn("buffer", "events are dropped because too many wait for the connection (bufferLimit)");
        }
      }
    };

    const catchAll = (name: string, args: unknown[]) => {
      for (const listener of self._any.listeners(name)) listener.apply(self, args);
    };

    const deliver = (args: unknown[]) => {
      catchAll("Any", args);
      self._fire(...(args as [string]));
      const last = args[args.length - 1];
      if (pid && typeof last == "string") offset = last;
    };

    /** Will not connect by itself any more. */
    const leave = (reason = "io server disconnect") => {
      self.active = false;
      asked = 0;
      io._close();
      if (self.connected) self._close(reason);
    };

    const refused = (error: Error) => {
      if (__DEV__) explain(error);
      leave();
      self._fire("connect_error", error);
    };

    Object.assign(self, {
      io,
      nsp,
      connected: false,
      recovered: false,
      active: false,
      auth: opts.auth,
      receiveBuffer: [],
      sendBuffer: [],
      acks,
      _flags: {},
      _any: new Emitter(),

      connect() {
        if (!self.connected) {
          self.active = true;
          if (!io._retry) io.open();
          if (io._engine?.id) void self._open();
        }
        return self;
      },

      disconnect() {
        if (self.connected) send(Type.Disconnect);
        leave("io client disconnect");
        return self;
      },

      emit(event: string, ...args: unknown[]) {
        const { _flags: flags } = self;
        const data = [event, ...args];
        const ack = typeof data[args.length] == "function" && (data.pop() as Ack);
        self._flags = {};
        if (reserved.test(event)) throw Error(`"${event}" is a reserved event name`);
        if (!opts.retries || flags.volatile) post(data, flags, ack);
        else {
          let tried = 0;
          const attempt = () => {
            tried++;
            post(data, { ...flags, _withError: true }, (error, ...values) => {
              if (!error || tried > opts.retries!) {
                queue.shift();
                if (ack) ack(error, ...values);
              }
              busy = 0;
              drain();
            });
          };
          queue.push(attempt);
          drain();
        }
        return self;
      },

      stats: () => ({ ...io._stats, latency, buffered: self.sendBuffer.length + queue.length, dropped }),

      async _open() {
        const { engine } = io;
        const { auth } = self;
        if (asked == engine) return;
        asked = engine;
        // An answer that was long in coming may be for a connection of the past.
        try {
          const data = await (typeof auth == "function" ? (auth.length ? new Promise(auth as never) : (auth as () => unknown)()) : auth);
          if (asked == engine) send(Type.Connect, pid ? { pid, offset, ...(data as object) } : data);
        } catch (error) {
          if (asked == engine) refused(error as Error);
        }
      },

      _packet({ type, data, id }) {
        const args = (data || []) as unknown[];
        const { sid, pid: given } = args as never as { sid?: string; pid?: string };
        if (type == Type.Connect && sid) {
          self.id = sid;
          self.recovered = !!given && pid == given;
          pid = given;
          self.connected = true;
          self.receiveBuffer.splice(0).map(deliver);
          // Nobody is there to catch what one of them throws.
          self.sendBuffer.splice(0).map(async (packet) => dispatch(packet));
          drain();
          self._fire("connect");
        } else if (type == Type.Event) {
          if (id != null) {
            args.push((...answer: unknown[]) => {
              if (id != null) id = send(Type.Ack, answer, id) as undefined;
            });
          }
          if (self.connected) deliver(args);
          else self.receiveBuffer.push(args);
        } else if (type == Type.Ack) {
          acks[id!]?.(null, ...args);
        } else if (type == Type.Disconnect) leave();
        // A string is what a server of revision 4 sends; one of version 2 sends no sid.
        else refused(Object.assign(Error((args as never as Error).message || (data as string) || (__DEV__ ? "the server speaks version 2 of Socket.IO, which this client does not" : "version 2")), { data: (args as never as { data: unknown }).data }));
      },

      _close(reason, details) {
        asked = 0;
        self.connected = false;
        self.id = undefined;
        self._fire("disconnect", reason, details);
        for (const id in acks) {
          // Unless it is still going to be sent.
          if (!self.sendBuffer.some((packet) => packet.id == (id as never))) acks[id](Error("socket has been disconnected"));
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
      this._flags._withError = true;
      const ack: Ack = (error, value) => (error ? reject(error) : resolve(value));
      this.emit(event, ...([...args, ack] as never));
    });
  }
}

export interface Socket<Listen extends object, Emit extends object> {
  readonly io: Manager;
  readonly nsp: string;
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
  /** The catch-all listeners, as those of "Any" and "AnyOutgoing". @internal */
  _any: Emitter;
  /** The connection is open: joins the namespace. @internal */
  _open(): Promise<void>;
  /** @internal */
  _packet(packet: Packet): void;
  /** @internal */
  _close(reason: string, details?: unknown): void;
}

// Both kinds of catch-all listeners, by an emitter of their own.
for (const name of ["Any", "AnyOutgoing"]) {
  for (const verb of ["on", "off", "listeners", "prepend"] as const) {
    (Socket.prototype as never as Record<string, unknown>)[verb + name] = function (this: Socket, listener: AnyListener) {
      const result = (this._any[verb] as Emitter["on"])(name, listener);
      return (result as unknown) == this._any ? this : result;
    };
  }
}
