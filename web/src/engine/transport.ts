import type { EnginePacket } from "./packet";

/** Query parameters: by name, or as they are written in an address. */
export type Query = string | { [name: string]: unknown };

/** The options of the connection itself. */
export interface EngineOptions {
  /**
   * The transports to use, in the order in which they are tried: names, or what
   * an entry point such as `webtransport` exports. Default: WebSocket, and
   * polling if that fails.
   */
  transports?: (string | TransportKind)[];
  /** Whether to move from polling to a better transport. Default true. */
  upgrade?: boolean;
  /** Whether to begin with the WebSocket that worked last time. Default false. */
  rememberUpgrade?: boolean;
  /**
   * Whether to go on to the next transport when one fails. Default: yes from
   * WebSocket, no from polling, which knows best why it was refused.
   */
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
  /** Without an effect: every WebSocket of today carries bytes. */
  forceBase64?: boolean;
  /** Subprotocols of the WebSocket. */
  protocols?: string | string[];
  /** Options for single transports, by name. */
  transportOptions?: Record<string, Partial<EngineOptions>>;
  /** Ends the connection when the page is left. Default false. */
  closeOnBeforeunload?: boolean;
  /** Does not keep a Node process alive. Default false. */
  autoUnref?: boolean;
  /** The WebSocket to use. Default: the global one. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  WebSocket?: new (url: string, protocols?: any, options?: any) => any;
  /** What makes HTTP requests. Default: the global one. */
  fetch?: typeof fetch;
  /** What transports read in certain places only: TLS in Node, say. */
  [more: string]: unknown;
}

/** What a transport tells its engine. */
export interface Host {
  /** Bytes can be sent; only an upgrade has to know. */
  _open?(): void;
  _packet(packet: EnginePacket): void;
  /** So many of the packets that were given to `_send` have left. */
  _drain(count: number): void;
  /**
   * It ended: with an error, or because the other side closed it. Not after `_close`,
   * which whoever hears this has to call.
   */
  _end(details: unknown): void;
}

/** Why a transport closed, for the listeners of "disconnect". */
export interface CloseDetails {
  description: string;
  context?: unknown;
}

/** What the server says in the handshake. */
export interface Handshake {
  sid: string;
  upgrades: string[];
  pingInterval: number;
  pingTimeout: number;
  maxPayload?: number;
}

/** What a transport knows of the connection it belongs to. */
export interface Carrier {
  id?: string;
  readonly readyState: string;
  transport: Transport;
  upgrading?: boolean;
  readonly writeBuffer: EnginePacket[];
  readonly opts: EngineOptions;
  once(event: "close" | "upgrade", listener: () => void): unknown;
  /** @internal */
  _handshake: Handshake;
  /** @internal */
  _url(name: string, scheme: string, opts: EngineOptions): string;
  /** @internal */
  _create(kind: TransportKind, host: Host): Transport;
  /** @internal */
  _flush(): void;
  /** @internal */
  _fire(event: string, ...args: unknown[]): void;
}

/** One way to carry packets between this client and a server. */
export interface Transport {
  readonly name: string;
  /** Whether nothing is being sent just now. */
  writable: boolean;
  /** Who listens: an upgrade changes it, and after the end it is nobody. @internal */
  _host?: Host;
  /** Sends packets, or the first of them. @internal */
  _send(packets: EnginePacket[]): void;
  /** Ends it, and tells the server unless that is known to it. @internal */
  _close(): void;
  /** Present on a transport that can be left for another. @internal */
  _pause?(done?: () => void): void;
}

/** A kind of transport: WebSocket, say. */
export interface TransportKind {
  readonly name: string;
  /** Opens one. @internal */
  _start(engine: Carrier, host: Host, opts: EngineOptions): Transport;
}

/** The failure of a transport, as listeners of "connect_error" get it. */
export interface TransportError extends Error {
  type: "TransportError";
  /** The HTTP status (0 if there was no answer), or the event. */
  description?: unknown;
  /** The Response, where there is one. */
  context?: unknown;
}

export const transportError = (message: string, description?: unknown, context?: unknown): TransportError =>
  Object.assign(Error(message), { type: "TransportError" as const, description, context });
