import { Emitter } from "../emitter";
import { env, later, soon, type Timer } from "../env";
import { parse } from "../url";
import type { EnginePacket, PacketName, RawData } from "./packet";
import type { CloseDetails, EngineOptions, Host, Transport, TransportError, TransportKind } from "./transport";

/** What the server says in the handshake. */
interface Handshake {
  sid: string;
  upgrades: string[];
  pingInterval: number;
  pingTimeout: number;
  maxPayload?: number;
}

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
export class Engine extends Emitter<EngineEvents> {
  readyState: "opening" | "open" | "closing" | "closed" = "opening";
  /** What has not left yet; its first entries may be on their way. */
  writeBuffer: EnginePacket[] = [];
  id?: string;
  upgrading?: boolean;
  declare transport: Transport;
  /** @internal */
  declare _upgrades: string[];
  /** @internal */
  declare _maxPayload: number;
  private declare _timer?: Timer;
  /** When a ping has to come. */
  private declare _due: number;
  private declare _interval: number;
  private declare _patience: number;

  /** @param _owner hears of every event before the listeners do. */
  constructor(
    private readonly _uri: string | undefined,
    readonly opts: EngineOptions,
    private readonly _owner: (event: string, a?: unknown, b?: unknown) => void,
  ) {
    super();
    const { transports } = opts;
    const kinds = Object.values(env._kinds);
    env._start(this, this, transports ? transports.map((want) => env._kinds[want as string] || (want as TransportKind)).filter((kind) => kind._start) : kinds);
    if (!this.transport) soon(() => this._fire("error", "No transports available"));
  }

  /** @internal */
  override _fire(event: string, a?: unknown, b?: unknown): void {
    this._owner(event, a, b);
    super._fire(event, a, b);
  }

  /** Sends a message. */
  write(data: RawData): this {
    return this._write("message", data);
  }

  /** The same as write. */
  send(data: RawData): this {
    return this._write("message", data);
  }

  /** Closes the connection after what waits has left. */
  close(): this {
    if (/^open/.test(this.readyState)) {
      this.readyState = "closing";
      const finish = () => this._close("forced close", undefined, true);
      if (this.writeBuffer[0]) this.once("drain", finish);
      else finish();
    }
    return this;
  }

  /** @internal */
  _write(type: PacketName, data?: RawData): this {
    if (/^open/.test(this.readyState)) {
      const packet: EnginePacket = { type, data };
      this._fire("packetCreate", packet);
      this.writeBuffer.push(packet);
      this._flush();
    }
    return this;
  }

  /** @internal */
  _url(name: string, scheme: string, { path, addTrailingSlash, query, timestampRequests, timestampParam = "t" }: EngineOptions): string {
    const [secure, host, , ownQuery] = parse(this._uri);
    const own = ownQuery || new URLSearchParams(query as never) + "";
    return (
      scheme + secure + "://" + host + path!.replace(/\/$/, "") +
      (addTrailingSlash == false ? "?" : "/?") +
      (own && own + "&") +
      "EIO=4&transport=" + name +
      (timestampRequests ?? name == "polling" ? "&" + timestampParam + "=" + (Date.now() + Math.random()).toString(36) : "") +
      (this.id ? "&sid=" + this.id : "")
    );
  }

  /** @internal */
  _create(kind: TransportKind, host: Host): Transport {
    return kind._start(this, host, { ...this.opts, ...this.opts.transportOptions?.[kind.name] });
  }

  /** @internal */
  _flush(): void {
    if (this.id && this.transport.writable && this.writeBuffer[0]) this.transport._send(this.writeBuffer.slice());
  }

  /**
   * Whether the server has been silent for too long: a timer that a browser
   * held back could not say so. Ends the connection in that case. @internal
   */
  _expired(): boolean {
    const late = Date.now() > this._due + this._patience;
    if (late) soon(() => this._close("ping timeout"));
    return late;
  }

  /** Waits for a ping until so many milliseconds after it is due. @internal */
  _awaitPing(grace: number): void {
    clearTimeout(this._timer);
    this._timer = later(() => this._close("ping timeout"), Math.max(this._due - Date.now(), 0) + Math.min(grace, this._patience), this.opts);
  }

  private _heard(): void {
    this._due = Date.now() + this._interval;
    this._awaitPing(this._patience);
  }

  /** @internal */
  _packet(packet: EnginePacket): void {
    const { type, data } = packet;
    if (this.readyState == "closed") return;
    this._fire("packet", packet);
    if (type == "open") {
      ({ sid: this.id, upgrades: this._upgrades, maxPayload: this._maxPayload = Infinity, pingInterval: this._interval, pingTimeout: this._patience } = JSON.parse(data as string) as Handshake);
      if (this.readyState == "opening") {
        this.readyState = "open";
        this._heard();
        this._fire(type);
        this._flush();
      }
    } else if (type == "ping") {
      this._write("pong");
      this._heard();
      this._fire(type);
    } else if (type == "message") this._fire(type, data);
  }

  /** @internal */
  _drain(count: number): void {
    this.writeBuffer.splice(0, count);
    if (this.writeBuffer[0]) this._flush();
    else this._fire("drain");
  }

  /** @internal */
  _end(details: unknown): void {
    const failed = details instanceof Error;
    if (failed && this.readyState != "closed") this._fire("error", details);
    this._close(failed ? "transport error" : "transport close", details);
  }

  /** @internal */
  _close(reason: string, details?: unknown, polite?: boolean): void {
    if (this.readyState != "closed") {
      clearTimeout(this._timer);
      this.readyState = "closed";
      this.transport?._close(polite);
      this.id = undefined;
      this._fire("close", reason, details);
      this.writeBuffer = [];
    }
  }
}
