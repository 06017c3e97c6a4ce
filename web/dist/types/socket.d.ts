import { Emitter } from "./emitter";
import type { Manager } from "./manager";
import { type Packet } from "./parser";
import type { AckResult, AnyListener, DecorateAcknowledgements, DefaultEventsMap, EventNames, EventParams, WithoutAck } from "./types";
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
    connect_error: (error: Error & {
        data?: unknown;
        description?: unknown;
        context?: unknown;
    }) => void;
    disconnect: (reason: string, details?: unknown) => void;
}
/** The client's side of one namespace. */
export declare class Socket<Listen extends object = DefaultEventsMap, Emit extends object = Listen> extends Emitter<Listen, Emit, SocketEvents> {
    readonly io: Manager;
    readonly nsp: string;
    /** Undefined while not connected. */
    id?: string;
    connected: boolean;
    /** Whether the server restored what was missed during the last cut. */
    recovered: boolean;
    auth?: Auth;
    receiveBuffer: unknown[][];
    sendBuffer: Packet[];
    private readonly opts;
    private flags;
    private _ids;
    private readonly acks;
    private _subs?;
    private _pid?;
    private _offset?;
    private readonly _queue;
    private readonly _anyListeners;
    private readonly _anyOutgoing;
    constructor(io: Manager, nsp: string, opts?: SocketOptions);
    get disconnected(): boolean;
    /** Whether it will connect, and reconnect, by itself. */
    get active(): boolean;
    /** Connects. */
    connect(): this;
    /** The same as connect. */
    open(): this;
    /** Leaves the namespace, and closes a connection that nobody else uses. */
    disconnect(): this;
    /** The same as disconnect. */
    close(): this;
    /** Sends an event called "message". */
    send(...args: unknown[]): this;
    /** Sends an event; a function as the last argument gets the answer. */
    emit<E extends EventNames<Emit>>(event: E, ...args: EventParams<Emit, E>): this;
    /** Sends an event and resolves with the answer. */
    emitWithAck<E extends EventNames<Emit>>(event: E, ...args: WithoutAck<EventParams<Emit, E>>): Promise<AckResult<EventParams<Emit, E>>>;
    /** Makes the next event one that may be compressed, or not. */
    compress(yes: boolean): this;
    /** Makes the next event one that is dropped if it cannot leave at once. */
    get volatile(): this;
    /** Limits the time for the answer to the next event, in milliseconds. */
    timeout(ms: number): Socket<Listen, DecorateAcknowledgements<Emit>>;
    /** Calls the listener for every event that arrives. */
    onAny(listener: AnyListener): this;
    prependAny(listener: AnyListener): this;
    offAny(listener?: AnyListener): this;
    listenersAny(): AnyListener[];
    /** Calls the listener for every event that is sent. */
    onAnyOutgoing(listener: AnyListener): this;
    prependAnyOutgoing(listener: AnyListener): this;
    offAnyOutgoing(listener?: AnyListener): this;
    listenersAnyOutgoing(): AnyListener[];
    private _packet;
    private _dispatch;
    /** Keeps what is called with the answer of packet `id`. */
    private _register;
    /** Adds an event to those that are sent, one by one, until acknowledged. */
    private _enqueue;
    private _drain;
    private _opened;
    private _receive;
    private _joined;
    private _deliver;
    /** What a listener calls to answer the packet `id`. */
    private _answer;
    private _closed;
    private _unsubscribe;
}
export {};
