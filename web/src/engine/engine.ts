import { Emitter } from "../emitter";
import { later, onPage, soon, type Timer, type WebSocketConstructor } from "../env";
import { type Address, formatQuery, parse, type Query } from "../url";
import type { EnginePacket, PacketName, RawData } from "./packet";
import { polling } from "./polling";
import { type CloseDetails, type Host, type Transport, TransportError, type TransportFactory } from "./transport";
import { websocket } from "./websocket";

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

const transports: Record<string, TransportFactory> = { polling, websocket };

/** Whether a WebSocket has worked in this process; for rememberUpgrade. */
let websocketWorked = false;

/** A connection to a server, over one transport after another. */
export class Engine extends Emitter<EngineEvents> {
  id?: string;
  readyState: "opening" | "open" | "closing" | "closed" = "opening";
  transport!: Transport;
  upgrading = false;
  /** What has not left yet; its first entries may be on their way. */
  writeBuffer: EnginePacket[] = [];
  readonly opts: EngineOptions;

  private readonly _address: Address;
  private _names: string[];
  private _sent = 0;
  private _handshake?: Handshake;
  private _pingTimer?: Timer;
  private _pingDeadline = Infinity;
  private _leavePage = () => {};

  constructor(uri: string, opts: EngineOptions) {
    super();
    this.opts = opts;
    this._address = parse(uri);
    this._names = (opts.transports || ["polling", "websocket"]).filter((name) => name in transports);
    if (opts.rememberUpgrade && websocketWorked && this._names.includes("websocket")) this._names = ["websocket"];
    if (this._names.length) this._begin();
    else soon(() => this._fire("error", "No transports available"));
  }

  /** Sends a message. */
  write(data: RawData, options?: { compress?: boolean }): this {
    this._write("message", data, options);
    return this;
  }

  /** The same as write. */
  send(data: RawData, options?: { compress?: boolean }): this {
    return this.write(data, options);
  }

  /** Closes the connection after what waits has left. */
  close(): this {
    if (this.readyState != "opening" && this.readyState != "open") return this;
    this.readyState = "closing";
    const finish = () => this._end("forced close", undefined, true);
    const afterUpgrade = () => {
      if (!this.upgrading) return finish();
      this.once("upgrade", finish);
      this.once("upgradeError", finish);
    };
    if (this.writeBuffer.length) this.once("drain", afterUpgrade);
    else afterUpgrade();
    return this;
  }

  /** @internal */
  _optionsOf(name: string): EngineOptions {
    return { ...this.opts, ...(this.opts.transportOptions || {})[name] };
  }

  /** The address for a request of a transport. @internal */
  _url(name: string, scheme: string): string {
    const { secure, host, port } = this._address;
    const opts = this._optionsOf(name);
    const own = this._address.query;
    const query: Query = { ...(Object.keys(own).length ? own : opts.query), EIO: 4, transport: name };
    if (name == "polling" ? opts.timestampRequests !== false : opts.timestampRequests) {
      query[opts.timestampParam || "t"] = Date.now().toString(36).slice(-5) + Math.random().toString(36).slice(2, 5);
    }
    if (this.id) query.sid = this.id;
    if (opts.forceBase64) query.b64 = 1;
    let path = (opts.path || "/engine.io").replace(/\/$/, "");
    if (opts.addTrailingSlash !== false) path += "/";
    const given = port && port != (secure ? "443" : "80") ? ":" + port : "";
    return scheme + (secure ? "s" : "") + "://" + host + given + path + "?" + formatQuery(query);
  }

  /** Whether no other transport would be tried after this one. @internal */
  _isLast(): boolean {
    return !this.opts.tryAllTransports || this._names.length < 2;
  }

  /** @internal */
  _create(name: string, host: Host): Transport {
    return transports[name](this, host);
  }

  /** Goes on with a transport that is open. @internal */
  _adopt(next: Transport): void {
    this.transport._close(false);
    next._host = this._host;
    this.transport = next;
    websocketWorked = next.name == "websocket";
  }

  /** Sends what waits, if it can go. @internal */
  _flush(): void {
    if (this.readyState == "closed" || !this.transport.writable || this.upgrading || !this.writeBuffer.length) return;
    const packets = this._fitting();
    this._sent = packets.length;
    this.transport._send(packets);
    this._fire("flush");
  }

  /**
   * Whether the server has been silent for too long: a timer that a browser
   * held back could not say so. Ends the connection in that case. @internal
   */
  _pingExpired(): boolean {
    if (Date.now() < this._pingDeadline) return false;
    this._pingDeadline = Infinity;
    soon(() => this._end("ping timeout"));
    return true;
  }

  /** What the current transport tells. */
  private readonly _host: Host = {
    _open: () => {},
    _packet: (packet) => this._receive(packet),
    _drain: () => {
      this.writeBuffer.splice(0, this._sent);
      this._sent = 0;
      if (this.writeBuffer.length) this._flush();
      else this._fire("drain");
    },
    _fail: (error) => {
      if (this.readyState == "closed") return;
      websocketWorked = false;
      if (this.readyState == "opening" && !this._isLast()) {
        this._names.shift();
        this._begin();
        return;
      }
      this._fire("error", error);
      this._end("transport error", error);
    },
    _closed: (details) => {
      // An end before the beginning is a failure, or nobody would hear of it.
      if (this.readyState == "opening") this._host._fail(new TransportError(details.description, 0, details.context));
      else this._end("transport close", details);
    },
  };

  private _begin(): void {
    this.transport = this._create(this._names[0], this._host);
    this.transport._open();
  }

  private _write(type: PacketName, data?: RawData, options?: { compress?: boolean }): void {
    if (this.readyState == "closing" || this.readyState == "closed") return;
    const packet: EnginePacket = { type, data, options };
    this._fire("packetCreate", packet);
    this.writeBuffer.push(packet);
    this._flush();
  }

  private _receive(packet: EnginePacket): void {
    if (this.readyState == "closed") return;
    this._fire("packet", packet);
    const { type, data } = packet;
    if (type == "open") {
      this._opened(JSON.parse(data as string) as Handshake);
    } else if (type == "ping") {
      this._write("pong");
      this._fire("ping");
      this._fire("pong");
      this._awaitPing();
    } else if (type == "message") {
      this._fire("data", data ?? "");
      this._fire("message", data ?? "");
    }
  }

  private _opened(handshake: Handshake): void {
    this._handshake = handshake;
    this.id = handshake.sid;
    if (this.readyState == "closing") return;
    this._fire("handshake", handshake);
    this.readyState = "open";
    websocketWorked = this.transport.name == "websocket";
    const local = /^(localhost|127\.0\.0\.1|\[::1\])$/.test(this._address.host);
    const left = this.opts.closeOnBeforeunload
      ? onPage(["beforeunload"], () => {
          this._listeners.clear();
          this.transport._close(true);
        })
      : () => {};
    const offline = local
      ? () => {}
      : onPage(["offline"], () => this._end("transport close", { description: "network connection lost" }));
    this._leavePage = () => {
      left();
      offline();
    };
    this._fire("open");
    this._flush();
    this._awaitPing();
    if (this.readyState == "open" && this.opts.upgrade !== false && this.transport._upgrade) {
      const names = this.opts.transports || ["polling", "websocket"];
      this.transport._upgrade(this, handshake.upgrades.filter((name) => name in transports && names.includes(name)));
    }
  }

  private _awaitPing(): void {
    clearTimeout(this._pingTimer);
    if (this.readyState == "closed" || !this._handshake) return;
    const wait = this._handshake.pingInterval + this._handshake.pingTimeout;
    this._pingDeadline = Date.now() + wait;
    this._pingTimer = later(() => this._end("ping timeout"), wait, this.opts.autoUnref);
  }

  /** What waits, as far as the server takes it in one request. */
  private _fitting(): EnginePacket[] {
    const limit = this.transport.name == "polling" && this._handshake && this._handshake.maxPayload;
    if (!limit || this.writeBuffer.length < 2) return this.writeBuffer.slice();
    let size = 1;
    for (let i = 0; i < this.writeBuffer.length; i++) {
      size += sizeOf(this.writeBuffer[i].data) + 2;
      if (i > 0 && size > limit) return this.writeBuffer.slice(0, i);
    }
    return this.writeBuffer.slice();
  }

  private _end(reason: string, details?: CloseDetails | Error, polite = false): void {
    if (this.readyState == "closed") return;
    clearTimeout(this._pingTimer);
    this._pingDeadline = Infinity;
    this._leavePage();
    this.readyState = "closed";
    if (this.transport) this.transport._close(polite);
    this.id = undefined;
    this._fire("close", reason, details);
    this.writeBuffer = [];
    this._sent = 0;
  }
}

/** Bytes of data in a POST; base64 takes four for three. */
function sizeOf(data?: RawData): number {
  if (!data) return 0;
  if (typeof data != "string") {
    return Math.ceil(((data as ArrayBuffer).byteLength || (data as Blob).size || 0) / 3) * 4;
  }
  let size = 0;
  for (let i = 0; i < data.length; i++) {
    const c = data.charCodeAt(i);
    // The halves of a surrogate pair come to four together.
    size += c < 0x80 ? 1 : c < 0x800 || (c >= 0xd800 && c < 0xe000) ? 2 : 3;
  }
  return size;
}
