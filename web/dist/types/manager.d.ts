import { Emitter } from "./emitter";
import { Engine } from "./engine/engine";
import { type EngineOptions } from "./engine/transport";
import type { Packet, Parser } from "./parser";
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
/** A connection that comes back, shared by the sockets of several namespaces. */
export declare class Manager extends Emitter<ManagerEvents> {
    constructor(uri?: string, opts?: ManagerOptions);
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
}
export {};
