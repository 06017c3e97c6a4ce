import { Emitter } from "../emitter";
import type { EnginePacket, RawData } from "./packet";
import type { CloseDetails, EngineOptions, Transport, TransportError } from "./transport";
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
export declare class Engine extends Emitter<EngineEvents> {
    readyState: "opening" | "open" | "closing" | "closed";
    /** What has not left yet; its first entries may be on their way. */
    writeBuffer: EnginePacket[];
    id?: string;
    upgrading?: boolean;
    transport: Transport;
    readonly opts: EngineOptions;
    private _timer?;
    private readonly _uri?;
    /** @param _owner hears of every event before the listeners do. */
    constructor(_uri: string | undefined, opts: EngineOptions, _owner: (event: string, a?: unknown, b?: unknown) => void);
    /** Sends a message. */
    write(data: RawData): this;
    /** The same as write. */
    send(data: RawData): this;
    /** Closes the connection after what waits has left. */
    close(): this;
}
export {};
