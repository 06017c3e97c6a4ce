import type { Engine } from "./engine";
import type { EnginePacket } from "./packet";
/** What a transport tells its engine. */
export interface Host {
    /** The transport can carry packets. */
    _open(): void;
    _packet(packet: EnginePacket): void;
    /** What was sent has left. */
    _drain(): void;
    /** It ended: with an error, or because the other side closed it. */
    _fail(error: TransportError): void;
    _closed(details: CloseDetails): void;
}
/** Why a transport closed, for the listeners of "disconnect". */
export interface CloseDetails {
    description: string;
    context?: unknown;
}
/** One way to carry packets between this client and a server. */
export interface Transport {
    readonly name: string;
    /** Whether `_send` may be called now. */
    writable: boolean;
}
export type TransportFactory = (engine: Engine, host: Host) => Transport;
/** The failure of a transport, as listeners of "connect_error" get it. */
export declare class TransportError extends Error {
    readonly description?: unknown | undefined;
    readonly context?: unknown | undefined;
    readonly type = "TransportError";
    /**
     * @param description the HTTP status (0 if there was no answer), or the event
     * @param context the Response, where there is one
     */
    constructor(message: string, description?: unknown | undefined, context?: unknown | undefined);
}
