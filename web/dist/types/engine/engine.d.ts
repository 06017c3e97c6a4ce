import { Emitter } from "../emitter";
import type { EnginePacket, RawData } from "./packet";
import { type Carrier, type CloseDetails, type EngineOptions, type Transport, type TransportError } from "./transport";
interface EngineEvents {
    open: () => void;
    packet: (packet: EnginePacket) => void;
    packetCreate: (packet: EnginePacket) => void;
    message: (data: RawData) => void;
    ping: () => void;
    drain: () => void;
    upgrading: (transport: Transport) => void;
    upgrade: (transport: Transport) => void;
    upgradeError: (error: Error) => void;
    error: (error: TransportError | string) => void;
    close: (reason: string, details?: CloseDetails | Error) => void;
}
/** A connection to a server, over one transport after another. */
export interface Engine extends Emitter<EngineEvents>, Omit<Carrier, "once" | "_fire"> {
    readyState: "opening" | "open" | "closing" | "closed";
    /** What has not left yet; its first entries may be on their way. */
    writeBuffer: EnginePacket[];
    /** Sends a message. */
    write(data: RawData): Engine;
    /** The same as write. */
    send(data: RawData): Engine;
    /** Closes the connection after what waits has left. */
    close(): Engine;
}
/** @param owner hears of every event before the listeners do. */
export declare function connect(uri: string | undefined, opts: EngineOptions, owner: (event: string, a?: unknown, b?: unknown) => void): Engine;
export {};
