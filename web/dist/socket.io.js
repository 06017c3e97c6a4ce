/*! Sockeye, a Socket.IO client. MIT licence. */
(function(root,make){if(typeof exports=="object"&&typeof module!="undefined")module.exports=make();else if(typeof define=="function"&&define.amd)define(make);else root.io=make()})(typeof globalThis!="undefined"?globalThis:self,function(){var module={exports:{}};
"use strict";
var __defProp = Object.defineProperty;
var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __hasOwnProp = Object.prototype.hasOwnProperty;
var __export = (target, all) => {
  for (var name in all)
    __defProp(target, name, { get: all[name], enumerable: true });
};
var __copyProps = (to, from, except, desc) => {
  if (from && typeof from === "object" || typeof from === "function") {
    for (let key of __getOwnPropNames(from))
      if (!__hasOwnProp.call(to, key) && key !== except)
        __defProp(to, key, { get: () => from[key], enumerable: !(desc = __getOwnPropDesc(from, key)) || desc.enumerable });
  }
  return to;
};
var __toCommonJS = (mod) => __copyProps(__defProp({}, "__esModule", { value: true }), mod);

// src/umd.ts
var umd_exports = {};
__export(umd_exports, {
  default: () => io
});
module.exports = __toCommonJS(umd_exports);

// src/backoff.ts
var Backoff = class {
  constructor(min, max, jitter) {
    this.min = min;
    this.max = max;
    this.jitter = jitter;
    this.attempts = 0;
  }
  /** The next wait, in milliseconds. */
  next() {
    let ms = this.min * 2 ** this.attempts++;
    if (this.jitter) {
      const random = Math.random();
      const part = Math.floor(random * this.jitter * ms);
      ms += Math.floor(random * 10) & 1 ? part : -part;
    }
    return Math.min(ms, this.max) | 0;
  }
};

// src/emitter.ts
var Emitter = class {
  constructor() {
    /** A Map, because an event may be called `__proto__`. @internal */
    this._listeners = /* @__PURE__ */ new Map();
  }
  /** Calls the listener at each `event`. */
  on(event, listener) {
    const all = this._listeners.get(event);
    if (all) all.push(listener);
    else this._listeners.set(event, [listener]);
    return this;
  }
  /** Calls the listener at the next `event` only. */
  once(event, listener) {
    const wrapper = (...args) => {
      this.off(event, wrapper);
      listener.apply(this, args);
    };
    wrapper._fn = listener;
    return this.on(event, wrapper);
  }
  /** Removes one listener, all listeners of an event, or all listeners. */
  off(event, listener) {
    if (event === void 0) {
      this._listeners.clear();
    } else if (!listener) {
      this._listeners.delete(event);
    } else {
      const all = this._listeners.get(event) || [];
      const at = all.findIndex((fn) => fn === listener || fn._fn === listener);
      const rest = all.filter((_, i) => i !== at);
      if (rest.length) this._listeners.set(event, rest);
      else this._listeners.delete(event);
    }
    return this;
  }
  /** Calls the listeners of `event` in the order in which they were added. */
  emit(event, ...args) {
    return this._fire(event, ...args);
  }
  /** What emit does, for subclasses in which emit sends. @internal */
  _fire(event, ...args) {
    for (const fn of (this._listeners.get(event) || []).slice()) fn.apply(this, args);
    return this;
  }
  /** The listeners of `event`. */
  listeners(event) {
    return (this._listeners.get(event) || []).map((fn) => fn._fn || fn);
  }
  /** Whether anyone listens to `event`. */
  hasListeners(event) {
    return this._listeners.has(event);
  }
};
var proto = Emitter.prototype;
proto.addEventListener = proto.on;
proto.removeListener = proto.removeEventListener = proto.removeAllListeners = proto.off;
function on(target, event, listener) {
  const emitter = target;
  emitter.on(event, listener);
  return () => {
    emitter.off(event, listener);
  };
}

// src/env.ts
var env = {};
var scope = globalThis;
function later(fn, ms, unref) {
  const timer = setTimeout(fn, ms);
  if (unref) timer.unref();
  return timer;
}
var soon = (fn) => queueMicrotask(fn);
function onPage(events, listener) {
  const each = (verb) => {
    if (scope[verb]) for (const name of events) scope[verb](name, listener);
  };
  each("addEventListener");
  return () => each("removeEventListener");
}

// src/url.ts
function parse(uri) {
  const page = scope.location;
  const scheme = page && /^http/.test(page.protocol) ? page.protocol : "https:";
  let source = uri || "/";
  if (source.length > 8e3) throw new Error("URI too long");
  if (/^\/(?!\/)/.test(source)) {
    if (!page) throw new Error('io(): without a page to take it from, the address must name a host, as in io("https://example.org")');
    source = page.host + source;
  }
  if (!/^(https?|wss?):\/\//i.test(source)) source = scheme + source.replace(/^(\/\/)?/, "//");
  const m = /^(\w+):\/\/(?:[^/?#]*@)?(\[[^\]]*\]|[^:/?#]*):?(\d*)([^?#]*)\??([^#]*)/.exec(source);
  const query = {};
  for (const pair of m[5] ? m[5].split("&") : []) {
    const [name, value] = pair.split("=");
    query[decodeURIComponent(name)] = decodeURIComponent(value || "");
  }
  return { source, secure: /s$/i.test(m[1]), host: m[2], port: m[3], path: m[4] || "/", query };
}
var formatQuery = (query) => Object.keys(query).filter((name) => query[name] !== void 0).map((name) => encodeURIComponent(name) + "=" + encodeURIComponent(query[name])).join("&");

// src/engine/base64.ts
async function toBase64(data) {
  if (typeof Blob != "undefined" && data instanceof Blob) data = await data.arrayBuffer();
  const bytes = ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) {
    text += String.fromCharCode.apply(null, bytes.subarray(i, i + 8192));
  }
  return btoa(text);
}
var fromBase64 = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;

// src/engine/packet.ts
var packetTypes = ["open", "close", "ping", "pong", "message", "upgrade", "noop"];
var encodeText = ({ type, data }) => packetTypes.indexOf(type) + (data || "");
var encodeBase64 = async (packet) => packet.data && typeof packet.data != "string" ? "b" + await toBase64(packet.data) : encodeText(packet);
function decodeText(text) {
  if (text[0] == "b") {
    try {
      return { type: "message", data: fromBase64(text.slice(1)) };
    } catch (_) {
      return;
    }
  }
  const type = packetTypes[text[0]];
  return type && (text.length > 1 ? { type, data: text.slice(1) } : { type });
}

// src/engine/transport.ts
var TransportError = class extends Error {
  /**
   * @param description the HTTP status (0 if there was no answer), or the event
   * @param context the Response, where there is one
   */
  constructor(message, description, context) {
    super(message);
    this.description = description;
    this.context = context;
    this.type = "TransportError";
  }
};

// src/engine/upgrade.ts
function upgrade(engine, names) {
  for (const name of names) {
    let over = false;
    let paused = false;
    const fail = (cause) => {
      if (over) return;
      over = true;
      next._close(false);
      if (paused) engine.transport._resume();
      engine.upgrading = false;
      engine._fire("upgradeError", Object.assign(new Error("probe error"), { transport: name, cause }));
      engine._flush();
    };
    const next = engine._create(name, {
      _open: () => next._send([{ type: "ping", data: "probe" }]),
      _packet({ type, data }) {
        if (over) return;
        if (type != "pong" || data != "probe" || engine.upgrading || engine.transport.name == name) {
          return fail(new Error("unexpected packet"));
        }
        engine.upgrading = true;
        engine._fire("upgrading", next);
        paused = true;
        engine.transport._pause(() => {
          if (over || engine.readyState == "closed") return;
          over = true;
          next._send([{ type: "upgrade" }]);
          engine._adopt(next);
          engine.upgrading = false;
          engine._fire("upgrade", next);
          engine._flush();
        });
      },
      _drain() {
      },
      _fail: fail,
      _closed: (details) => fail(new TransportError("transport closed", details))
    });
    engine.once("close", () => fail(new Error("socket closed")));
    next._open();
  }
}

// src/engine/polling.ts
var separator = "";
function polling(engine, host) {
  const opts = engine._optionsOf("polling");
  const aborter = new AbortController();
  let open = false;
  let closed = false;
  let receiving = false;
  let sending = false;
  let paused;
  const request = (what, body) => new Promise((resolve) => {
    const fail = (status, context) => {
      clearTimeout(timer);
      if (closed) return;
      self._close(false);
      self._host._fail(new TransportError(`xhr ${what} error`, status, context));
    };
    const timer = opts.requestTimeout ? later(() => fail(0), opts.requestTimeout, opts.autoUnref) : void 0;
    fetch(engine._url("polling", "http"), {
      method: body === void 0 ? "GET" : "POST",
      body,
      // The last word of a page that is being left.
      keepalive: body == "1",
      headers: opts.extraHeaders,
      credentials: opts.withCredentials ? "include" : "same-origin",
      signal: aborter.signal
    }).then(async (response) => {
      if (response.status != 200) return fail(response.status, response);
      const text = await response.text();
      clearTimeout(timer);
      soon(() => resolve(text));
    }).catch((err) => fail(0, err));
  });
  const poll = async () => {
    receiving = true;
    const text = await request("poll");
    receiving = false;
    for (const part of text.split(separator)) {
      if (closed) return;
      const packet = decodeText(part);
      if (!packet) {
        self._close(false);
        self._host._fail(new TransportError("parser error"));
      } else if (packet.type == "close") {
        self._close(false);
        self._host._closed({ description: "transport closed by the server" });
      } else {
        if (!open) {
          open = self.writable = true;
          self._host._open();
        }
        self._host._packet(packet);
      }
    }
    if (closed) return;
    if (paused) paused();
    else void poll();
  };
  const self = {
    name: "polling",
    writable: false,
    _host: host,
    _open: () => void poll(),
    async _send(packets) {
      self.writable = false;
      sending = true;
      const parts = await Promise.all(packets.map(encodeBase64));
      if (closed) return;
      await request("post", parts.join(separator));
      sending = false;
      self.writable = true;
      self._host._drain();
      if (paused) paused();
    },
    _close(polite) {
      if (closed) return;
      if (polite && open) {
        const end = () => aborter.abort();
        void request("post", "1").then(end);
        closed = true;
        later(end, 5e3, true);
        return;
      }
      closed = true;
      aborter.abort();
    },
    _pause(done) {
      paused = () => {
        if (!receiving && !sending) done();
      };
      paused();
    },
    _resume() {
      paused = void 0;
      if (open && !closed && !receiving) void poll();
    },
    _upgrade: upgrade
  };
  return self;
}

// src/engine/websocket.ts
function websocket(engine, host) {
  const opts = engine._optionsOf("websocket");
  let ws;
  let closed = false;
  const fail = async (event) => {
    if (closed) return;
    closed = true;
    const status = !engine.id && engine._isLast() && await findStatus(engine, opts.withCredentials);
    self._host._fail(new TransportError("websocket error", status || event));
  };
  const self = {
    name: "websocket",
    writable: false,
    _host: host,
    _open() {
      const WebSocket = opts.WebSocket || env.WebSocket || scope.WebSocket;
      try {
        ws = new WebSocket(engine._url("websocket", "ws"), opts.protocols || [], { headers: opts.extraHeaders });
      } catch (err) {
        soon(() => void fail(err));
        return;
      }
      ws.binaryType = "arraybuffer";
      ws.onopen = () => {
        self.writable = true;
        self._host._open();
      };
      ws.onmessage = ({ data }) => {
        const packet = typeof data == "string" ? decodeText(data) : { type: "message", data };
        if (packet) self._host._packet(packet);
        else void fail(new Error("parser error"));
      };
      ws.onerror = fail;
      ws.onclose = (event) => {
        if (closed) return;
        closed = true;
        self._host._closed({ description: "websocket connection closed", context: event });
      };
    },
    async _send(packets) {
      self.writable = false;
      if (opts.forceBase64) {
        const texts = await Promise.all(packets.map(encodeBase64));
        if (closed) return;
        for (const text of texts) ws.send(text);
      } else for (const packet of packets) {
        const { type, data } = packet;
        ws.send(type == "message" && data != null && typeof data != "string" ? data : encodeText(packet));
      }
      soon(() => {
        self.writable = true;
        self._host._drain();
      });
    },
    _close() {
      closed = true;
      if (ws) ws.close();
    }
  };
  return self;
}
async function findStatus(engine, withCredentials) {
  try {
    const url = engine._url("polling", "http");
    const credentials = withCredentials ? "include" : "same-origin";
    const response = await fetch(url, { credentials, signal: AbortSignal.timeout(3e3) });
    if (response.ok) {
      const { sid } = JSON.parse((await response.text()).slice(1));
      await fetch(url + "&sid=" + sid, { method: "POST", body: "1", credentials });
    } else if (response.status > 400) {
      return response.status;
    }
  } catch (_) {
  }
}

// src/engine/engine.ts
var transports = { polling, websocket };
var websocketWorked = false;
var Engine = class extends Emitter {
  constructor(uri, opts) {
    super();
    this.readyState = "opening";
    this.upgrading = false;
    /** What has not left yet; its first entries may be on their way. */
    this.writeBuffer = [];
    this._sent = 0;
    this._pingDeadline = Infinity;
    this._leavePage = () => {
    };
    /** What the current transport tells. */
    this._host = {
      _open: () => {
      },
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
        if (this.readyState == "opening") this._host._fail(new TransportError(details.description, 0, details.context));
        else this._end("transport close", details);
      }
    };
    this.opts = opts;
    this._address = parse(uri);
    this._names = (opts.transports || ["polling", "websocket"]).filter((name) => name in transports);
    if (opts.rememberUpgrade && websocketWorked && this._names.includes("websocket")) this._names = ["websocket"];
    if (this._names.length) this._begin();
    else soon(() => this._fire("error", "No transports available"));
  }
  /** Sends a message. */
  write(data, options) {
    this._write("message", data, options);
    return this;
  }
  /** The same as write. */
  send(data, options) {
    return this.write(data, options);
  }
  /** Closes the connection after what waits has left. */
  close() {
    if (this.readyState != "opening" && this.readyState != "open") return this;
    this.readyState = "closing";
    const finish = () => this._end("forced close", void 0, true);
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
  _optionsOf(name) {
    return { ...this.opts, ...(this.opts.transportOptions || {})[name] };
  }
  /** The address for a request of a transport. @internal */
  _url(name, scheme) {
    const { secure, host, port } = this._address;
    const opts = this._optionsOf(name);
    const own = this._address.query;
    const query = { ...Object.keys(own).length ? own : opts.query, EIO: 4, transport: name };
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
  _isLast() {
    return !this.opts.tryAllTransports || this._names.length < 2;
  }
  /** @internal */
  _create(name, host) {
    return transports[name](this, host);
  }
  /** Goes on with a transport that is open. @internal */
  _adopt(next) {
    this.transport._close(false);
    next._host = this._host;
    this.transport = next;
    websocketWorked = next.name == "websocket";
  }
  /** Sends what waits, if it can go. @internal */
  _flush() {
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
  _pingExpired() {
    if (Date.now() < this._pingDeadline) return false;
    this._pingDeadline = Infinity;
    soon(() => this._end("ping timeout"));
    return true;
  }
  _begin() {
    this.transport = this._create(this._names[0], this._host);
    this.transport._open();
  }
  _write(type, data, options) {
    if (this.readyState == "closing" || this.readyState == "closed") return;
    const packet = { type, data, options };
    this._fire("packetCreate", packet);
    this.writeBuffer.push(packet);
    this._flush();
  }
  _receive(packet) {
    if (this.readyState == "closed") return;
    this._fire("packet", packet);
    const { type, data } = packet;
    if (type == "open") {
      this._opened(JSON.parse(data));
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
  _opened(handshake) {
    this._handshake = handshake;
    this.id = handshake.sid;
    if (this.readyState == "closing") return;
    this._fire("handshake", handshake);
    this.readyState = "open";
    websocketWorked = this.transport.name == "websocket";
    const local = /^(localhost|127\.0\.0\.1|\[::1\])$/.test(this._address.host);
    const left = this.opts.closeOnBeforeunload ? onPage(["beforeunload"], () => {
      this._listeners.clear();
      this.transport._close(true);
    }) : () => {
    };
    const offline = local ? () => {
    } : onPage(["offline"], () => this._end("transport close", { description: "network connection lost" }));
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
  _awaitPing() {
    clearTimeout(this._pingTimer);
    if (this.readyState == "closed" || !this._handshake) return;
    const wait = this._handshake.pingInterval + this._handshake.pingTimeout;
    this._pingDeadline = Date.now() + wait;
    this._pingTimer = later(() => this._end("ping timeout"), wait, this.opts.autoUnref);
  }
  /** What waits, as far as the server takes it in one request. */
  _fitting() {
    const limit = this.transport.name == "polling" && this._handshake && this._handshake.maxPayload;
    if (!limit || this.writeBuffer.length < 2) return this.writeBuffer.slice();
    let size = 1;
    for (let i = 0; i < this.writeBuffer.length; i++) {
      size += sizeOf(this.writeBuffer[i].data) + 2;
      if (i > 0 && size > limit) return this.writeBuffer.slice(0, i);
    }
    return this.writeBuffer.slice();
  }
  _end(reason, details, polite = false) {
    if (this.readyState == "closed") return;
    clearTimeout(this._pingTimer);
    this._pingDeadline = Infinity;
    this._leavePage();
    this.readyState = "closed";
    if (this.transport) this.transport._close(polite);
    this.id = void 0;
    this._fire("close", reason, details);
    this.writeBuffer = [];
    this._sent = 0;
  }
};
function sizeOf(data) {
  if (!data) return 0;
  if (typeof data != "string") {
    return Math.ceil((data.byteLength || data.size || 0) / 3) * 4;
  }
  let size = 0;
  for (let i = 0; i < data.length; i++) {
    const c = data.charCodeAt(i);
    size += c < 128 ? 1 : c < 2048 || c >= 55296 && c < 57344 ? 2 : 3;
  }
  return size;
}

// src/parser.ts
var parser_exports = {};
__export(parser_exports, {
  Decoder: () => Decoder,
  Encoder: () => Encoder,
  PacketType: () => PacketType,
  isBinary: () => isBinary,
  protocol: () => protocol,
  reserved: () => reserved
});
var protocol = 5;
var PacketType = /* @__PURE__ */ ((PacketType2) => {
  PacketType2[PacketType2["CONNECT"] = 0] = "CONNECT";
  PacketType2[PacketType2["DISCONNECT"] = 1] = "DISCONNECT";
  PacketType2[PacketType2["EVENT"] = 2] = "EVENT";
  PacketType2[PacketType2["ACK"] = 3] = "ACK";
  PacketType2[PacketType2["CONNECT_ERROR"] = 4] = "CONNECT_ERROR";
  PacketType2[PacketType2["BINARY_EVENT"] = 5] = "BINARY_EVENT";
  PacketType2[PacketType2["BINARY_ACK"] = 6] = "BINARY_ACK";
  return PacketType2;
})(PacketType || {});
var reserved = /^(connect|connect_error|disconnect|disconnecting|newListener|removeListener)$/;
var maxAttachments = 10;
var isBinary = (value) => value instanceof ArrayBuffer || ArrayBuffer.isView(value) || typeof Blob != "undefined" && value instanceof Blob || // An ArrayBuffer of another realm: a frame, or a test environment.
Object.prototype.toString.call(value) == "[object ArrayBuffer]";
function hasBinary(value, afterToJSON) {
  if (!value || typeof value != "object") return false;
  if (isBinary(value)) return true;
  const dict = value;
  if (!afterToJSON && typeof dict.toJSON == "function") return hasBinary(dict.toJSON(), true);
  return Object.keys(dict).some((key) => hasBinary(dict[key]));
}
var Encoder = class {
  encode(packet) {
    let { type } = packet;
    let attachments = "";
    const messages = [""];
    let json;
    if ((type == 2 /* EVENT */ || type == 3 /* ACK */) && hasBinary(packet.data)) {
      type += 5 /* BINARY_EVENT */ - 2 /* EVENT */;
      json = JSON.stringify(packet.data, function(key, value) {
        const bytes = isBinary(value) ? value : this[key];
        return isBinary(bytes) ? { ["_placeholder"]: true, num: messages.push(bytes) - 2 } : value;
      });
      attachments = messages.length - 1 + "-";
    } else {
      json = JSON.stringify(packet.data);
    }
    const { nsp, id } = packet;
    messages[0] = type + attachments + (nsp && nsp != "/" ? nsp + "," : "") + (id == null ? "" : id) + (json || "");
    return messages;
  }
};
var Decoder = class extends Emitter {
  constructor() {
    super(...arguments);
    /** @internal */
    this._buffers = [];
  }
  /** Takes the next message; throws if it breaks the protocol. */
  add(message) {
    const pending = this._pending;
    let packet;
    if (typeof message == "string") {
      if (pending) throw new Error("got plaintext data when reconstructing a packet");
      packet = decodeText2(message);
      if (packet.attachments) {
        this._pending = packet;
        return;
      }
    } else {
      if (!isBinary(message)) throw new Error("Unknown type: " + message);
      if (!pending) throw new Error("got binary data when not reconstructing a packet");
      if (this._buffers.push(message) < pending.attachments) return;
      packet = pending;
      packet.data = fill(packet.data, this._buffers);
      delete packet.attachments;
      this.destroy();
    }
    this.emit("decoded", packet);
  }
  /** Forgets a packet of which only a part has arrived. */
  destroy() {
    this._pending = void 0;
    this._buffers = [];
  }
};
function decodeText2(text) {
  let type = +text[0];
  if (!PacketType[type]) throw new Error("unknown packet type " + type);
  const binary = type >= 5 /* BINARY_EVENT */;
  const [, count, nsp, id, json] = /^.(?:(\d+)-)?(?:(\/[^,]*),?)?(\d*)([^]*)/.exec(text);
  const attachments = +count;
  if (binary) {
    if (!attachments) throw new Error("Illegal attachments");
    if (attachments > maxAttachments) throw new Error("too many attachments");
    type -= 5 /* BINARY_EVENT */ - 2 /* EVENT */;
  }
  const packet = { type, nsp: nsp || "/" };
  if (binary) packet.attachments = attachments;
  if (id) packet.id = +id;
  if (count && !binary || json && !accept(packet, json)) throw new Error("invalid payload");
  return packet;
}
function accept(packet, json) {
  let data;
  try {
    data = packet.data = JSON.parse(json);
  } catch (_) {
    return false;
  }
  const list = Array.isArray(data);
  const dict = !list && typeof data == "object" && data !== null;
  switch (packet.type) {
    case 0 /* CONNECT */:
      return dict;
    case 1 /* DISCONNECT */:
      return false;
    case 4 /* CONNECT_ERROR */:
      return dict || typeof data == "string";
    case 3 /* ACK */:
      return list;
    default: {
      const name = list && data[0];
      return typeof name == "number" || typeof name == "string" && !reserved.test(name);
    }
  }
}
function fill(value, buffers) {
  if (!value || typeof value != "object") return value;
  const dict = value;
  if (dict["_placeholder"] === true) {
    const num = dict.num;
    if (typeof num != "number" || !(num in buffers)) throw new Error("illegal attachments");
    return buffers[num];
  }
  for (const key of Object.keys(dict)) dict[key] = fill(dict[key], buffers);
  return dict;
}

// src/socket.ts
var Socket = class extends Emitter {
  constructor(io2, nsp, opts = {}) {
    super();
    this.io = io2;
    this.nsp = nsp;
    this.connected = false;
    /** Whether the server restored what was missed during the last cut. */
    this.recovered = false;
    this.receiveBuffer = [];
    this.sendBuffer = [];
    this.flags = {};
    this._ids = 0;
    this.acks = /* @__PURE__ */ new Map();
    this._queue = [];
    this._anyListeners = [];
    this._anyOutgoing = [];
    this.opts = opts;
    this.auth = opts.auth;
    if (io2._autoConnect) this.open();
  }
  get disconnected() {
    return !this.connected;
  }
  /** Whether it will connect, and reconnect, by itself. */
  get active() {
    return !!this._subs;
  }
  /** Connects. */
  connect() {
    if (this.connected) return this;
    if (!this._subs) {
      this._subs = [
        on(this.io, "open", () => this._opened()),
        on(this.io, "packet", (packet) => this._receive(packet)),
        on(this.io, "error", (error) => {
          if (!this.connected) this._fire("connect_error", error);
        }),
        on(this.io, "close", (reason, details) => this._closed(reason, details))
      ];
    }
    if (!this.io._reconnecting) this.io.open();
    if (this.io._readyState == "open") this._opened();
    return this;
  }
  /** The same as connect. */
  open() {
    return this.connect();
  }
  /** Leaves the namespace, and closes a connection that nobody else uses. */
  disconnect() {
    if (this.connected) this._packet({ type: 1 /* DISCONNECT */ });
    this._unsubscribe();
    if (this.connected) this._closed("io client disconnect");
    return this;
  }
  /** The same as disconnect. */
  close() {
    return this.disconnect();
  }
  /** Sends an event called "message". */
  send(...args) {
    return this.emit("message", ...args);
  }
  /** Sends an event; a function as the last argument gets the answer. */
  emit(event, ...args) {
    if (reserved.test(event)) throw new Error(`"${event}" is a reserved event name`);
    const data = [event, ...args];
    const { flags } = this;
    if (this.opts.retries && !flags.fromQueue && !flags.volatile) {
      this._enqueue(data);
      return this;
    }
    const packet = { type: 2 /* EVENT */, nsp: this.nsp, data };
    packet.options = { compress: flags.compress !== false };
    if (typeof data[data.length - 1] == "function") {
      packet.id = this._ids++;
      this._register(packet.id, data.pop());
    }
    const { engine } = this.io;
    const writable = engine && engine.readyState == "open" && engine.transport.writable;
    if (!(flags.volatile && !writable)) {
      if (this.connected && !engine._pingExpired()) this._dispatch(packet);
      else this.sendBuffer.push(packet);
    }
    this.flags = {};
    return this;
  }
  /** Sends an event and resolves with the answer. */
  emitWithAck(event, ...args) {
    return new Promise((resolve, reject) => {
      const ack = (error, value) => error ? reject(error) : resolve(value);
      ack.withError = true;
      this.emit(event, ...[...args, ack]);
    });
  }
  /** Makes the next event one that may be compressed, or not. */
  compress(yes) {
    this.flags.compress = yes;
    return this;
  }
  /** Makes the next event one that is dropped if it cannot leave at once. */
  get volatile() {
    this.flags.volatile = true;
    return this;
  }
  /** Limits the time for the answer to the next event, in milliseconds. */
  timeout(ms) {
    this.flags.timeout = ms;
    return this;
  }
  /** Calls the listener for every event that arrives. */
  onAny(listener) {
    this._anyListeners.push(listener);
    return this;
  }
  prependAny(listener) {
    this._anyListeners.unshift(listener);
    return this;
  }
  offAny(listener) {
    return remove(this, this._anyListeners, listener);
  }
  listenersAny() {
    return this._anyListeners;
  }
  /** Calls the listener for every event that is sent. */
  onAnyOutgoing(listener) {
    this._anyOutgoing.push(listener);
    return this;
  }
  prependAnyOutgoing(listener) {
    this._anyOutgoing.unshift(listener);
    return this;
  }
  offAnyOutgoing(listener) {
    return remove(this, this._anyOutgoing, listener);
  }
  listenersAnyOutgoing() {
    return this._anyOutgoing;
  }
  _packet(packet) {
    packet.nsp = this.nsp;
    this.io._send(packet);
  }
  _dispatch(packet) {
    for (const listener of this._anyOutgoing.slice()) listener.apply(this, packet.data);
    this._packet(packet);
  }
  /** Keeps what is called with the answer of packet `id`. */
  _register(id, ack) {
    const ms = this.flags.timeout ?? this.opts.ackTimeout;
    if (ms === void 0) {
      this.acks.set(id, ack);
      return;
    }
    const timer = later(() => {
      this.acks.delete(id);
      this.sendBuffer = this.sendBuffer.filter((packet) => packet.id != id);
      ack.call(this, new Error("operation has timed out"));
    }, ms);
    const inTime = (...args) => {
      clearTimeout(timer);
      ack.apply(this, args);
    };
    inTime.withError = true;
    this.acks.set(id, inTime);
  }
  /** Adds an event to those that are sent, one by one, until acknowledged. */
  _enqueue(data) {
    const ack = typeof data[data.length - 1] == "function" ? data.pop() : void 0;
    const entry = { args: data, flags: { ...this.flags, fromQueue: true }, tries: 0, pending: false };
    const answered = (error, ...values) => {
      if (entry != this._queue[0]) return;
      if (!error || entry.tries > this.opts.retries) {
        this._queue.shift();
        if (ack) ack(error || null, ...values);
      }
      entry.pending = false;
      this._drain();
    };
    answered.withError = true;
    data.push(answered);
    this.flags = {};
    this._queue.push(entry);
    this._drain();
  }
  _drain(force) {
    const entry = this._queue[0];
    if (!this.connected || !entry || entry.pending && !force) return;
    entry.pending = true;
    entry.tries++;
    this.flags = entry.flags;
    this.emit(...entry.args);
  }
  _opened() {
    const { engine } = this.io;
    const join = (data) => {
      if (engine != this.io.engine || this.connected || !this._subs) return;
      this._packet({
        type: 0 /* CONNECT */,
        data: this._pid ? { pid: this._pid, offset: this._offset, ...data } : data
      });
    };
    if (typeof this.auth == "function") this.auth(join);
    else join(this.auth);
  }
  _receive({ type, nsp, data, id }) {
    if (nsp != this.nsp) return;
    switch (type) {
      case 0 /* CONNECT */: {
        const { sid, pid } = data || {};
        if (sid) this._joined(sid, pid);
        else this._fire("connect_error", new Error("the server speaks version 2 of Socket.IO, which this client does not"));
        break;
      }
      case 2 /* EVENT */: {
        const args = data || [];
        if (id != null) args.push(this._answer(id));
        if (this.connected) this._deliver(args);
        else this.receiveBuffer.push(args);
        break;
      }
      case 3 /* ACK */: {
        const ack = this.acks.get(id);
        const args = data || [];
        if (!ack) break;
        this.acks.delete(id);
        if (ack.withError) args.unshift(null);
        ack.apply(this, args);
        break;
      }
      case 1 /* DISCONNECT */:
        this._unsubscribe();
        this._closed("io server disconnect");
        break;
      case 4 /* CONNECT_ERROR */: {
        this._unsubscribe();
        const { message, data: details } = typeof data == "string" ? { message: data } : data || {};
        this._fire("connect_error", Object.assign(new Error(message), { data: details }));
      }
    }
  }
  _joined(id, pid) {
    this.id = id;
    this.recovered = !!pid && this._pid == pid;
    this._pid = pid;
    this.connected = true;
    for (const args of this.receiveBuffer.splice(0)) this._deliver(args);
    for (const packet of this.sendBuffer.splice(0)) this._dispatch(packet);
    this._drain(true);
    this._fire("connect");
  }
  _deliver(args) {
    for (const listener of this._anyListeners.slice()) listener.apply(this, args);
    this._fire(...args);
    const last = args[args.length - 1];
    if (this._pid && typeof last == "string") this._offset = last;
  }
  /** What a listener calls to answer the packet `id`. */
  _answer(id) {
    let done = false;
    return (...data) => {
      if (done) return;
      done = true;
      this._packet({ type: 3 /* ACK */, id, data });
    };
  }
  _closed(reason, details) {
    this.connected = false;
    this.id = void 0;
    this._fire("disconnect", reason, details);
    for (const [id, ack] of [...this.acks]) {
      if (this.sendBuffer.some((packet) => packet.id == id)) continue;
      this.acks.delete(id);
      if (ack.withError) ack.call(this, new Error("socket has been disconnected"));
    }
  }
  _unsubscribe() {
    if (this._subs) for (const off of this._subs) off();
    this._subs = void 0;
    this.io._release();
  }
};
function remove(self, listeners, listener) {
  const at = listener ? listeners.indexOf(listener) : 0;
  if (at >= 0) listeners.splice(at, listener ? 1 : listeners.length);
  return self;
}

// src/manager.ts
var Manager = class extends Emitter {
  constructor(uri, opts = {}) {
    super();
    /** @internal */
    this._readyState = "closed";
    /** @internal */
    this._reconnecting = false;
    this._nsps = /* @__PURE__ */ new Map();
    this._stopped = false;
    this._subs = [];
    this.uri = uri;
    this.opts = { path: "/socket.io", reconnection: true, timeout: 2e4, ...opts };
    const { reconnectionDelay, reconnectionDelayMax, randomizationFactor, parser } = this.opts;
    this._backoff = new Backoff(reconnectionDelay || 1e3, reconnectionDelayMax || 5e3, randomizationFactor ?? 0.5);
    const codec = parser || parser_exports;
    this._encoder = new codec.Encoder();
    this._decoder = new codec.Decoder();
    this._autoConnect = this.opts.autoConnect !== false;
    if (this._autoConnect) this.open();
  }
  reconnection(yes) {
    if (yes === void 0) return !!this.opts.reconnection;
    this.opts.reconnection = yes;
    if (!yes) this._stopped = true;
    return this;
  }
  reconnectionAttempts(n) {
    if (n === void 0) return this.opts.reconnectionAttempts || Infinity;
    this.opts.reconnectionAttempts = n;
    return this;
  }
  reconnectionDelay(ms) {
    if (ms === void 0) return this._backoff.min;
    this._backoff.min = ms;
    return this;
  }
  reconnectionDelayMax(ms) {
    if (ms === void 0) return this._backoff.max;
    this._backoff.max = ms;
    return this;
  }
  randomizationFactor(factor) {
    if (factor === void 0) return this._backoff.jitter;
    this._backoff.jitter = factor;
    return this;
  }
  timeout(ms) {
    if (ms === void 0) return this.opts.timeout;
    this.opts.timeout = ms;
    return this;
  }
  /** Connects. With a callback it does not try again by itself. */
  open(done) {
    if (this._readyState != "closed") return this;
    this._readyState = "opening";
    this._stopped = false;
    const engine = this.engine = new Engine(this.uri, this.opts);
    const failed = (error) => {
      this._cleanup();
      this._readyState = "closed";
      this._fire("error", error);
      if (done) done(error);
      else this._retryFirst();
    };
    this._subs.push(
      on(engine, "open", () => {
        this._opened();
        if (done) done();
      }),
      on(engine, "error", failed)
    );
    const { timeout } = this.opts;
    if (timeout !== false) {
      const timer = later(
        () => {
          this._cleanup();
          engine.close();
          failed(new Error("timeout"));
        },
        timeout,
        this.opts.autoUnref
      );
      this._subs.push(() => clearTimeout(timer));
    }
    return this;
  }
  /** The same as open. */
  connect(done) {
    return this.open(done);
  }
  /** The socket of a namespace. */
  socket(nsp, opts) {
    let socket = this._nsps.get(nsp);
    if (!socket) this._nsps.set(nsp, socket = new Socket(this, nsp, opts));
    else if (this._autoConnect && !socket.active) socket.connect();
    return socket;
  }
  /** @internal */
  _has(nsp) {
    return this._nsps.has(nsp);
  }
  /** Closes the connection unless another socket uses it. @internal */
  _release() {
    for (const socket of this._nsps.values()) if (socket.active) return;
    this._close();
  }
  /** @internal */
  _close() {
    this._stopped = true;
    this._reconnecting = false;
    this._closed("forced close");
  }
  /** @internal */
  _send(packet) {
    for (const message of this._encoder.encode(packet)) this.engine.write(message, packet.options);
  }
  /** Tries again after the very first attempt failed. */
  _retryFirst() {
    if (!this._reconnecting && this.opts.reconnection && !this._backoff.attempts) this._reconnect();
  }
  _opened() {
    this._cleanup();
    this._readyState = "open";
    this._fire("open");
    const { engine } = this;
    this._subs.push(
      on(engine, "ping", () => this._fire("ping")),
      on(engine, "data", (data) => {
        try {
          this._decoder.add(data);
        } catch (error) {
          this._closed("parse error", error);
        }
      }),
      on(engine, "error", (error) => this._fire("error", error)),
      on(engine, "close", (reason, details) => this._closed(reason, details)),
      // Apart from the decoder: what a listener throws is no parse error.
      on(this._decoder, "decoded", (packet) => soon(() => this._fire("packet", packet)))
    );
  }
  _closed(reason, details) {
    this._cleanup();
    if (this.engine) this.engine.close();
    this._backoff.attempts = 0;
    this._readyState = "closed";
    this._fire("close", reason, details);
    if (this.opts.reconnection && !this._stopped) this._reconnect();
  }
  _cleanup() {
    for (const off of this._subs.splice(0)) off();
    this._decoder.destroy();
    clearTimeout(this._timer);
  }
  _reconnect() {
    if (this._reconnecting || this._stopped) return;
    if (this._backoff.attempts >= this.reconnectionAttempts()) {
      this._backoff.attempts = 0;
      this._fire("reconnect_failed");
      return;
    }
    this._reconnecting = true;
    this._timer = later(
      () => {
        if (this._stopped) return;
        this._fire("reconnect_attempt", this._backoff.attempts);
        if (this._stopped) return;
        this.open((error) => {
          this._reconnecting = false;
          if (error) {
            this._reconnect();
            this._fire("reconnect_error", error);
          } else {
            const { attempts } = this._backoff;
            this._backoff.attempts = 0;
            this._fire("reconnect", attempts);
          }
        });
      },
      this._backoff.next(),
      this.opts.autoUnref
    );
  }
};

// src/index.ts
var cache = /* @__PURE__ */ new Map();
function lookup(uri, opts) {
  if (uri && typeof uri == "object") {
    opts = uri;
    uri = void 0;
  }
  const options = { path: "/socket.io", ...opts };
  const { source, secure, host, port, path } = parse(uri);
  const id = (secure ? "https://" : "http://") + host + ":" + (port || (secure ? 443 : 80)) + options.path;
  const known = cache.get(id);
  let manager;
  if (options.forceNew || options["force new connection"] || options.multiplex === false || known && known._has(path)) {
    manager = new Manager(source, options);
  } else {
    manager = known || new Manager(source, options);
    cache.set(id, manager);
  }
  return manager.socket(path, options);
}
var io = Object.assign(lookup, { Manager, Socket, protocol, io: lookup, connect: lookup });
;return module.exports.default})
//# sourceMappingURL=socket.io.js.map
