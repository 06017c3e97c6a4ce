import { Emitter } from "./emitter";
import type { Manager } from "./manager";
import { type Packet } from "./parser";
import type { AckResult, AnyListener, DecorateAcknowledgements, DefaultEventsMap, EventNames, EventParams, WithoutAck } from "./types";
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
    connect_error: (error: Error & {
        data?: unknown;
        description?: unknown;
        context?: unknown;
    }) => void;
    disconnect: (reason: string, details?: unknown) => void;
}
/** The client's side of one namespace. */
export declare class Socket<Listen extends object = DefaultEventsMap, Emit extends object = Listen> extends Emitter<Listen, Emit, SocketEvents> {
    constructor(io: Manager, nsp: string, opts?: SocketOptions);
    /** Makes the next event one that is dropped if it cannot leave at once. */
    get volatile(): this;
    get disconnected(): boolean;
    /** Limits the time for the answer to the next event, in milliseconds. */
    timeout(ms: number): Socket<Listen, DecorateAcknowledgements<Emit>>;
    /** Lets a signal end the wait for the answer to the next event. */
    signal(signal: AbortSignal): Socket<Listen, DecorateAcknowledgements<Emit>>;
    /** Without an effect here: browsers compress as they like. */
    compress(_: boolean): this;
    /** Sends an event called "message". */
    send(...args: unknown[]): this;
    /** Sends an event and resolves with the answer. */
    emitWithAck<E extends EventNames<Emit>>(event: E, ...args: WithoutAck<EventParams<Emit, E>>): Promise<AckResult<EventParams<Emit, E>>>;
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
}
export {};
