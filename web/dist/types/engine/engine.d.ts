import { Emitter } from "../emitter";
import { type WebSocketConstructor } from "../env";
import { type Query } from "../url";
import type { EnginePacket, RawData } from "./packet";
import { type CloseDetails, type Transport, TransportError } from "./transport";
/** The options of the connection itself. */
export interface EngineOptions {
    /** The transports to use, in the order in which they are tried. */
    transports?: string[];
    /** Whether to move from polling to a better transport. Default true. */
    upgrade?: boolean;
    /** Whether to begin with the WebSocket that worked last time. Default false. */
    rememberUpgrade?: boolean;
    /** Whether to go on to the next transport when one fails. Default false. */
    tryAllTransports?: boolean;
    /** The path on the server. Default "/socket.io". */
    path?: string;
    /** Whether the path ends in a slash. Default true. */
    addTrailingSlash?: boolean;
    query?: Query;
    /** Sent with HTTP requests, and by those WebSockets that can. */
    extraHeaders?: Record<string, string>;
    /** Whether cookies go to other origins. Default false. */
    withCredentials?: boolean;
    /** Milliseconds that an HTTP request may take. Default: as long as it likes. */
    requestTimeout?: number;
    /** Adds a parameter that keeps caches away; on polling unless false. */
    timestampRequests?: boolean;
    timestampParam?: string;
    /** Sends bytes as base64 even where they could go as they are. */
    forceBase64?: boolean;
    /** Subprotocols of the WebSocket. */
    protocols?: string | string[];
    /** The WebSocket to use, where there is no global one. */
    WebSocket?: WebSocketConstructor;
    /** Options for single transports, by name. */
    transportOptions?: Record<string, Partial<EngineOptions>>;
    /** Ends the connection when the page is left. Default false. */
    closeOnBeforeunload?: boolean;
    /** Does not keep a Node process alive. Default false. */
    autoUnref?: boolean;
}
/** What the server says in the handshake. */
export interface Handshake {
    sid: string;
    upgrades: string[];
    pingInterval: number;
    pingTimeout: number;
    maxPayload: number;
}
interface EngineEvents {
    open: () => void;
    handshake: (data: Handshake) => void;
    packet: (packet: EnginePacket) => void;
    packetCreate: (packet: EnginePacket) => void;
    data: (data: RawData) => void;
    message: (data: RawData) => void;
    ping: () => void;
    pong: () => void;
    flush: () => void;
    drain: () => void;
    upgrading: (transport: Transport) => void;
    upgrade: (transport: Transport) => void;
    upgradeError: (error: Error) => void;
    error: (error: TransportError | string) => void;
    close: (reason: string, details?: CloseDetails | Error) => void;
}
/** A connection to a server, over one transport after another. */
export declare class Engine extends Emitter<EngineEvents> {
    id?: string;
    readyState: "opening" | "open" | "closing" | "closed";
    transport: Transport;
    upgrading: boolean;
    /** What has not left yet; its first entries may be on their way. */
    writeBuffer: EnginePacket[];
    readonly opts: EngineOptions;
    private readonly _address;
    private _names;
    private _sent;
    private _handshake?;
    private _pingTimer?;
    private _pingDeadline;
    private _leavePage;
    constructor(uri: string, opts: EngineOptions);
    /** Sends a message. */
    write(data: RawData, options?: {
        compress?: boolean;
    }): this;
    /** The same as write. */
    send(data: RawData, options?: {
        compress?: boolean;
    }): this;
    /** Closes the connection after what waits has left. */
    close(): this;
    /** What the current transport tells. */
    private readonly _host;
    private _begin;
    private _write;
    private _receive;
    private _opened;
    private _awaitPing;
    /** What waits, as far as the server takes it in one request. */
    private _fitting;
    private _end;
}
export {};
