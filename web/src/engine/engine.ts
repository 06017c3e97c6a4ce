import { Emitter } from "../emitter";
import { kinds } from "../parts";
import { parse } from "../url";
import { start } from "./several";
import type { EnginePacket, PacketName, RawData } from "./packet";
import type { CloseDetails, EngineOptions, Handshake, Host, Transport, TransportError, TransportKind } from "./transport";

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
  declare id?: string;
  declare upgrading?: boolean;
  declare transport: Transport;
  declare readonly opts: EngineOptions;
  /** @internal */
  declare _handshake: Handshake;
  private declare _timer?: Timer;
  /** When the next ping has to be there. @internal */
  declare _deadline: number;
  private declare readonly _uri?: string;

  /** @param _owner hears of every event before the listeners do. */
  constructor(_uri: string | undefined, opts: EngineOptions, _owner: (event: string, a?: unknown, b?: unknown) => void) {
    super();
    Object.assign(this, { _uri, opts, _owner });
    const { transports } = opts;
    const usable = (transports || Object.keys(kinds)).map((want) => kinds[want as string] || (want as TransportKind)).filter((kind) => kind._start);
    if (usable[0]) {
      if (__CORE__) this.transport = this._create(usable[0], this);
      else start(this, usable);
    }
    else soon(() => this._fire("error", "No transports available"));
  }

  /** Sends a message. */
  write(data: RawData): this {
    return this._write("message", data);
  }

  /** The same as write. */
  send(data: RawData): this {
    return this.write(data);
  }

  /** Closes the connection after what waits has left. */
  close(): this {
    if (this.readyState > "o") {
      this.readyState = "closing";
      const finish = () => this._close("forced close");
      if (this.writeBuffer[0]) this.once("drain", finish);
      else finish();
    }
    return this;
  }

  /** @internal */
  _write(type: PacketName, data?: RawData): this {
    if (this.readyState > "o") {
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
      scheme + secure + "://" + host + path!.replace(/\/?$/, addTrailingSlash == false ? "?" : "/?") +
      (own && own + "&") +
      "EIO=4&transport=" + name +
      ((timestampRequests ?? (!__CORE__ && name == "polling")) ? "&" + timestampParam + "=" + Math.random() : "") +
      (this.id ? "&sid=" + this.id : "")
    );
  }

  /** @internal */
  _create(kind: TransportKind, host: Host): Transport {
    return kind._start(this, host, { ...this.opts, ...this.opts.transportOptions?.[kind.name] });
  }

  /** @internal */
  _flush(): void {
    if (this.id && (__CORE__ || !this.upgrading) && this.transport.writable && this.writeBuffer[0]) this.transport._send(this.writeBuffer.slice());
  }

  /**
   * Whether the server has been silent for too long: a timer that a browser
   * held back could not say so. Ends the connection in that case. @internal
   */
  _expired(): boolean {
    const late = Date.now() > this._deadline;
    if (late) this._awaitPing(-1);
    return late;
  }

  /** Waits so many milliseconds for a ping. @internal */
  _awaitPing(ms = this._handshake.pingInterval + this._handshake.pingTimeout): void {
    this._deadline = Date.now() + ms;
    clearTimeout(this._timer);
    this._timer = later(() => this._close("ping timeout"), ms, this);
  }

  /** @internal */
  _packet(packet: EnginePacket): void {
    const { type, data } = packet;
    this._fire("packet", packet);
    if (type == "open") {
      this._handshake = JSON.parse(data as string);
      this.id = this._handshake.sid;
      if (this.readyState == "opening") {
        this.readyState = "open";
        this._awaitPing();
        this._fire(type);
        this._flush();
      }
    } else if (type == "ping") {
      this._write("pong");
      this._awaitPing();
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
    this._close("transport " + (details instanceof Error ? "error" : "close"), details);
  }

  /** @internal */
  _close(reason: string, details?: unknown): void {
    if (this.readyState != "closed") {
      clearTimeout(this._timer);
      this.readyState = "closed";
      if (details instanceof Error) this._fire("error", details);
      this.transport?._close();
      this.id = undefined;
      this._fire("close", reason, details);
      this.writeBuffer = [];
    }
  }
}
