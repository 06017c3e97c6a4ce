/*! Sockeye, a Socket.IO client. MIT licence. */
var __typeError = (msg) => {
  throw TypeError(msg);
};
var __accessCheck = (obj, member, msg) => member.has(obj) || __typeError("Cannot " + msg);
var __privateGet = (obj, member, getter) => (__accessCheck(obj, member, "read from private field"), getter ? getter.call(obj) : member.get(obj));
var __privateAdd = (obj, member, value) => member.has(obj) ? __typeError("Cannot add the same private member more than once") : member instanceof WeakSet ? member.add(obj) : member.set(obj, value);

// src/node.ts
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { createRequire } from "node:module";

// src/binary.ts
var isBinary = (value) => typeof value == "object" && (ArrayBuffer.isView(value) || /(Buffer|Blob|File)]$/.test({}.toString.call(value)));
var given = (bytes) => bytes instanceof ArrayBuffer ? Buffer.from(bytes) : bytes;
var lengthOf = (data) => data.byteLength ?? data.size ?? data.length;
var sizeOf = (data) => lengthOf(typeof data == "string" ? new TextEncoder().encode(data) : data);
var viewOf = (data) => ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
var bytesOf = async (data) => viewOf(data.size != null ? await data.arrayBuffer() : data);

// src/env.ts
var scope = globalThis;
var env = {
  l: {},
  a: (engine, host, [kind]) => {
    if (kind) engine.transport = engine.y(kind, host);
  }
};
function later(fn, ms, opts) {
  const timer = setTimeout(fn, ms);
  if (opts.autoUnref) timer.unref();
  return timer;
}
var soon = (fn) => queueMicrotask(fn);

// src/engine/packet.ts
var packetTypes = ["open", "close", "ping", "pong", "message", "upgrade", "noop"];
var encode = ({ type, data = "" }) => typeof data == "string" ? packetTypes.indexOf(type) + data : data;
function decode(text) {
  const type = packetTypes[text[0]];
  return type && { type, data: text.slice(1) };
}

// src/engine/base64.ts
async function encodeBase64(packet) {
  const message = encode(packet);
  return typeof message == "string" ? message : "b" + scope.btoa((await bytesOf(message)).reduce((text, byte) => text + String.fromCharCode(byte), ""));
}
function decodeBase64(text) {
  if (text[0] != "b") return decode(text);
  try {
    return { type: "message", data: Uint8Array.from(scope.atob(text.slice(1)), (c) => c.charCodeAt(0)).buffer };
  } catch (_) {
  }
}

// src/engine/transport.ts
var transportError = (message, description, context) => Object.assign(Error(message), { type: "TransportError", description, context });

// src/engine/polling.ts
var separator = "";
var polling = {
  name: "polling",
  a(engine, host, opts) {
    const aborter = new AbortController();
    let closed = false;
    let sending = false;
    let paused;
    let waiting = false;
    const end = (details) => {
      if (!closed) {
        self.n();
        self.t.o(details);
      }
    };
    const request = async (what, body) => {
      let why;
      const timer = opts.requestTimeout ? later(() => aborter.abort(), opts.requestTimeout, opts) : void 0;
      try {
        const response = await (opts.fetch || fetch)(engine.b("polling", "http", opts), {
          method: body ? "POST" : "GET",
          body,
          // The last word of a page that is being left.
          keepalive: body == "1",
          credentials: opts.withCredentials ? "include" : "same-origin",
          headers: opts.extraHeaders,
          signal: aborter.signal
        });
        if (response.status == 200) return await response.text();
        why = [response.status, response];
      } catch (err) {
        why = [0, err];
      } finally {
        clearTimeout(timer);
      }
      end(transportError(`xhr ${what} error`, ...why));
    };
    const poll = async () => {
      waiting = true;
      const text = await request("poll");
      waiting = false;
      for (const part of text?.split(separator) || []) {
        if (closed) return;
        const packet = decodeBase64(part);
        if (packet && packet.type != "close") self.t.c(packet);
        else end(packet ? { description: "transport closed by the server" } : transportError("parser error"));
      }
      next();
    };
    const next = () => {
      if (closed) return;
      if (!paused) {
        if (!waiting) void poll();
      } else if (!waiting && !sending) paused();
    };
    const self = {
      name: "polling",
      writable: true,
      t: host,
      async p(packets) {
        const parts = [];
        let size = 0;
        self.writable = false;
        sending = true;
        for (const packet of packets) {
          const part = await encodeBase64(packet);
          size += sizeOf(part) + 1;
          if (parts[0] && size > engine.k) break;
          parts.push(part);
        }
        if (!closed && await request("post", parts.join(separator)) != null && !closed) {
          sending = false;
          self.writable = !paused;
          self.t.h(parts.length);
          if (paused) next();
        }
      },
      n(polite) {
        if (!closed) {
          closed = true;
          const abort = () => aborter.abort();
          if (polite && engine.id) {
            void request("post", "1").then(abort);
            later(abort, 5e3, opts);
          } else abort();
        }
      },
      E(done) {
        paused = done;
        self.writable = !done && !sending;
        next();
      }
    };
    void poll();
    return self;
  }
};

// src/engine/websocket.ts
var websocket = {
  name: "websocket",
  a(engine, host, opts) {
    let closed;
    let ws2;
    const end = (details) => {
      if (!closed) self.t.o(details);
      closed = 1;
    };
    const fail = (event) => end(transportError("websocket error", event));
    const self = {
      name: "websocket",
      writable: true,
      t: host,
      p(packets) {
        self.writable = false;
        for (const packet of packets) ws2.send(encode(packet));
        soon(() => {
          self.writable = true;
          self.t.h(packets.length);
        });
      },
      n() {
        closed = 1;
        ws2?.close();
      }
    };
    try {
      ws2 = new (opts.WebSocket || WebSocket)(engine.b("websocket", "ws", opts), opts.protocols || [], {
        headers: opts.extraHeaders
      });
      ws2.binaryType = "arraybuffer";
      ws2.onopen = () => self.t.x?.();
      ws2.onmessage = ({ data }) => {
        const packet = typeof data == "string" ? decode(data) : { type: "message", data };
        if (packet) self.t.c(packet);
        else fail(Error("parser error"));
      };
      ws2.onerror = fail;
      ws2.onclose = (context) => end({ description: "websocket connection closed", context });
    } catch (err) {
      soon(() => fail(err));
    }
    return self;
  }
};

// src/engine/upgrade.ts
function upgrade(engine, host, kinds, done) {
  const old = engine.transport;
  for (const kind of kinds) {
    let next;
    let paused;
    let over;
    const fail = (cause) => {
      if (over) return;
      over = 1;
      next?.n();
      if (paused) {
        engine.upgrading = false;
        old.E();
      }
      engine.e("upgradeError", Object.assign(Error("probe error"), { transport: kind.name, cause }));
      engine.u();
    };
    const probe = () => {
      if (over) return;
      const self = next = engine.y(kind, {
        x: () => self.p([{ type: "ping", data: "probe" }]),
        c({ type, data }) {
          if (over) return;
          if (type != "pong" || data != "probe" || engine.upgrading) return fail(type);
          engine.upgrading = true;
          paused = 1;
          engine.e("upgrading", self);
          old.E(() => {
            if (over) return;
            over = 1;
            engine.writeBuffer.unshift({ type: "upgrade" });
            old.n();
            self.t = host;
            engine.transport = self;
            engine.upgrading = false;
            done(kind);
            engine.e("upgrade", self);
            engine.u();
          });
        },
        h() {
        },
        o: fail
      });
    };
    engine.once("close", fail);
    engine.once("upgrade", fail);
    if (kind.name == "websocket" && kinds[1]) later(probe, 200, engine.opts);
    else probe();
  }
}

// src/engine/several.ts
var patience = 5e3;
var good;
function start(engine, host, kinds) {
  const { rememberUpgrade, tryAllTransports, upgrade: mayUpgrade } = engine.opts;
  const [kind, next] = rememberUpgrade && kinds.includes(good) ? [good] : kinds;
  if (!kind) return;
  const polls = kind.name == "polling";
  const last = !next || !(tryAllTransports ?? !polls);
  let timer;
  const transport = engine.transport = engine.y(kind, {
    c(packet) {
      clearTimeout(timer);
      transport.t = host;
      if (!polls) good = kind;
      host.c(packet);
      if (polls && mayUpgrade != false && engine.readyState == "open") {
        upgrade(engine, host, kinds.filter(({ name }) => engine.C.includes(name)), (kind2) => good = kind2);
      }
    },
    o(details) {
      clearTimeout(timer);
      good = void 0;
      if (engine.readyState != "opening" || last && polls) host.o(details);
      else if (last) start(engine, asking(engine, host, details), [env.l.polling]);
      else start(engine, host, kinds.slice(1));
    }
  });
  if (!last) {
    timer = later(() => {
      transport.n();
      transport.t.o(Error("timeout"));
    }, patience, engine.opts);
  }
}
var asking = (engine, host, error) => ({
  c({ data }) {
    engine.id = (/"sid":"(.+?)"/.exec(data) || [])[1];
    engine.transport.n(true);
    host.o(error);
  },
  o({ description }) {
    if (description > 400) error.description = description;
    host.o(error);
  }
});

// src/url.ts
function parse(uri = "") {
  const page2 = scope.location || {};
  const [, scheme = page2.protocol || "s:", at, path, query] = /^(?:(\w+:)?\/\/(?:[^/?#]*@)?)?([^/?#]*)([^?#]*)\??([^#]*)/.exec(uri);
  const secure = /s:$/i.test(scheme) ? "s" : "";
  const host = (at || page2.host || "").replace(secure ? /:443$/ : /:80$/, "");
  if (!host) throw Error(true ? 'io(): without a page to take it from, the address must name a host, as in io("https://example.org")' : "no host");
  return [secure, host, path || "/", query];
}

// src/page.ts
var pageEvents = ["online", "offline", "visibilitychange", "pageshow", "resume", "beforeunload"];
var wakeGrace = 3e3;
var watch = (manager) => {
  let woke = 0;
  const onPage = ({ type, persisted }) => {
    const { engine, opts, uri, s: _retry } = manager;
    if (type == "beforeunload") {
      if (opts.closeOnBeforeunload) {
        engine.off();
        engine.transport.n(true);
      }
    } else if (type == "offline") {
      if (!/^(localhost|127\.|\[::1)/.test(parse(uri)[1])) engine.n("transport close", { description: "network connection lost" });
    } else if (persisted != false && !(type == "visibilitychange" && document.hidden)) {
      woke = Date.now();
      if (_retry) _retry();
      else if (engine.readyState == "open" && !engine._()) {
        engine.g("noop");
        engine.A(wakeGrace);
      }
    }
  };
  return (on) => {
    for (const event of pageEvents) scope[on ? "addEventListener" : "removeEventListener"]?.(event, onPage, true);
    if (on && manager.s && Date.now() - woke < 5e3) {
      woke = 0;
      soon(manager.s);
    }
  };
};

// src/full.ts
env.l = { websocket, polling };
env.a = start;
env.I = watch;
env.U = (message, max) => {
  if (lengthOf(message) * 3 >= max && sizeOf(message) >= max) throw Error(`payload too large: ${sizeOf(message)} bytes, maxPayload is ${max}`);
};

// src/parser.ts
var protocol = 5;
var reserved = /^(connect(_error)?|disconnect(ing)?|(new|remove)Listener)$/;
var maxAttachments = 10;
var bad = (text) => {
  throw Error(text || "invalid packet");
};
function valid({ type, data }) {
  const list = Array.isArray(data);
  const dict = {}.toString.call(data) == "[object Object]";
  const name = list && data[0];
  return [
    dict,
    // CONNECT
    0,
    // DISCONNECT
    typeof name == "number" || typeof name == "string" && !reserved.test(name),
    // EVENT
    list,
    // ACK
    dict || typeof data == "string"
    // CONNECT_ERROR
  ][type];
}
var mayHaveBinary = (value) => value && typeof value == "object" && (value.toJSON || isBinary(value) || Object.values(value).some(mayHaveBinary));
var Encoder = class {
  encode({ type, nsp, id, data }) {
    const attachments = [];
    const json2 = JSON.stringify(
      data,
      // The replacer sees the value before toJSON in its holder, which is where
      // the bytes of a Node Buffer still are.
      mayHaveBinary(data) && function(key, value) {
        const bytes = isBinary(value) ? value : this[key];
        return isBinary(bytes) ? { ["_placeholder"]: true, num: attachments.push(bytes) - 1 } : value;
      }
    );
    const { length } = attachments;
    return [(length ? type + 3 /* Binary */ + (length + "-") : type) + (nsp == "/" ? "" : nsp + ",") + (id ?? "") + (json2 ?? ""), ...attachments];
  }
};
var Decoder = class {
  constructor() {
    /** @internal */
    this.T = [];
  }
  on(_, listener) {
    this.O = listener;
  }
  /** Takes the next message; throws if it breaks the protocol. */
  add(message) {
    const { f: packet, T: buffers } = this;
    const text = typeof message == "string";
    if (text ? packet : !packet || !isBinary(message)) {
      bad(text ? "got plaintext data when reconstructing a packet" : packet ? "Unknown type: " + message : "got binary data when not reconstructing a packet");
    }
    if (text) this.H(message);
    else if (buffers.push(given(message)) == packet.attachments) {
      packet.data = fill(packet.data, buffers);
      delete packet.attachments;
      this.destroy();
      this.O(packet);
    }
  }
  /** Forgets a packet of which only a part has arrived. */
  destroy() {
    this.f = void 0;
    this.T = [];
  }
  /** @internal */
  H(text) {
    const [, kind, count, nsp = "/", id, json2] = /^([0-6]?)(?:(\d+)-)?(?:(\/[^,]*),?)?(\d*)([^]*)/.exec(text);
    const binary = +kind > 4 /* ConnectError */;
    const packet = { type: binary ? +kind - 3 /* Binary */ : +kind, nsp };
    if (!kind || (binary ? !(+count > 0 && +count <= maxAttachments) : count)) {
      bad(!kind ? "unknown packet type " + parseInt(text[0]) : !binary ? "invalid payload" : +count ? "too many attachments" : "Illegal attachments");
    }
    if (binary) packet.attachments = +count;
    if (id) packet.id = +id;
    if (json2) {
      try {
        packet.data = JSON.parse(json2);
      } catch (_) {
      }
      if (!valid(packet)) bad("invalid payload");
    }
    if (binary) this.f = packet;
    else this.O(packet);
  }
};
function fill(value, buffers) {
  if (value && typeof value == "object") {
    const dict = value;
    if (dict["_placeholder"] === true) {
      return typeof dict.num == "number" && buffers[dict.num] || bad("illegal attachments");
    }
    for (const key in dict) dict[key] = fill(dict[key], buffers);
  }
  return value;
}
var json = { Encoder, Decoder };

// src/dev.ts
var page = "https://github.com/sockeye-go/socketio/blob/main/docs/browser-client.md";
var said = /* @__PURE__ */ new Set();
function warn(topic, text) {
  if (said.has(text)) return;
  said.add(text);
  console.warn(`socket.io: ${text}
${page}#${topic}`);
}
function explain(error) {
  const { message, description } = error;
  if (message == "Invalid namespace") {
    warn("namespace", "the server has no such namespace. The path of the address is the namespace; the path of the HTTP endpoint is the option `path`");
  } else if (message == "parser error" || message == "handshake error") {
    warn("not-socketio", "what answered is no Socket.IO server: often a page for all addresses that a development server sends. Is `path` right, is the proxy set up?");
  } else if (message == "timeout") {
    warn("timeout", "the server did not answer within the option `timeout`");
  } else if (description === 404) {
    warn("not-found", "404: there is no Socket.IO endpoint at this address. Is `path` the one of the server?");
  } else if (description === 400) {
    warn("bad-request", '400: the server refused the request. More than one server needs sticky sessions for polling ("Session ID unknown"); servers of version 2 need `allowEIO3`');
  } else if (description === 401 || description === 403) {
    warn("refused", description + ": the server refused the connection");
  } else if (description === 0) {
    warn("unreachable", "the server cannot be reached, or does not allow this origin (CORS)");
  }
}

// src/emitter.ts
var Emitter = class {
  constructor() {
    /**
     * Without a prototype, because an event may be called `__proto__`. The lists
     * are replaced, never changed: an emission goes on with the one it began
     * with. @internal
     */
    this.m = { __proto__: null };
  }
  /** Calls the listener at each `event`. */
  on(event, listener) {
    const all = this.listeners(event);
    this.m[event] = [...all, listener];
    if (true) {
      const times = all.filter((fn) => fn == listener).length + 1;
      if (times > 1) warn("twice", `the same listener is registered ${times} times for "${event}"`);
      else if (all.length == 10) warn("many", `more than ten listeners are registered for "${event}"`);
    }
    return this;
  }
  /** Calls the listener at the next `event` only. */
  once(event, listener) {
    const wrapper = (...args) => {
      this.off(event, wrapper);
      listener.apply(this, args);
    };
    wrapper.K = listener;
    return this.on(event, wrapper);
  }
  /** Removes one listener, all listeners of an event, or all listeners. */
  off(event, listener) {
    if (event == null) this.m = { __proto__: null };
    else {
      const all = this.listeners(event);
      const at = all.findIndex((fn) => fn == listener || fn.K == listener);
      this.m[event] = all.filter((_, i) => listener && i != at);
    }
    return this;
  }
  /** Calls the listeners of `event` in the order in which they were added. */
  emit(event, ...args) {
    this.e(event, ...args);
    return this;
  }
  /** What emit does, for subclasses in which emit sends. @internal */
  e(event, ...args) {
    for (const fn of this.listeners(event)) fn.apply(this, args);
  }
  /** The listeners of `event`. */
  listeners(event) {
    return this.m[event] || [];
  }
  /** Whether anyone listens to `event`. */
  hasListeners(event) {
    return !!this.listeners(event)[0];
  }
};
var proto = Emitter.prototype;
proto.addEventListener = proto.on;
proto.removeListener = proto.removeEventListener = proto.removeAllListeners = proto.off;

// src/engine/engine.ts
var Engine = class extends Emitter {
  /** @param _owner hears of every event before the listeners do. */
  constructor(_uri, opts, _owner) {
    super();
    this.V = _uri;
    this.opts = opts;
    this.F = _owner;
    this.readyState = "opening";
    /** What has not left yet; its first entries may be on their way. */
    this.writeBuffer = [];
    const { transports } = opts;
    const kinds = Object.values(env.l);
    env.a(this, this, transports ? transports.map((want) => env.l[want] || want).filter((kind) => kind.a) : kinds);
    if (!this.transport) soon(() => this.e("error", "No transports available"));
  }
  /** @internal */
  e(event, a, b) {
    this.F(event, a, b);
    super.e(event, a, b);
  }
  /** Sends a message. */
  write(data) {
    return this.g("message", data);
  }
  /** The same as write. */
  send(data) {
    return this.g("message", data);
  }
  /** Closes the connection after what waits has left. */
  close() {
    if (/^open/.test(this.readyState)) {
      this.readyState = "closing";
      const finish = () => this.n("forced close", void 0, true);
      if (this.writeBuffer[0]) this.once("drain", finish);
      else finish();
    }
    return this;
  }
  /** @internal */
  g(type, data) {
    if (/^open/.test(this.readyState)) {
      const packet = { type, data };
      this.e("packetCreate", packet);
      this.writeBuffer.push(packet);
      this.u();
    }
    return this;
  }
  /** @internal */
  b(name, scheme, { path, addTrailingSlash, query, timestampRequests, timestampParam = "t" }) {
    const [secure, host, , ownQuery] = parse(this.V);
    const own = ownQuery || new URLSearchParams(query) + "";
    return scheme + secure + "://" + host + path.replace(/\/$/, "") + (addTrailingSlash == false ? "?" : "/?") + (own && own + "&") + "EIO=4&transport=" + name + (timestampRequests ?? name == "polling" ? "&" + timestampParam + "=" + (Date.now() + Math.random()).toString(36) : "") + (this.id ? "&sid=" + this.id : "");
  }
  /** @internal */
  y(kind, host) {
    return kind.a(this, host, { ...this.opts, ...this.opts.transportOptions?.[kind.name] });
  }
  /** @internal */
  u() {
    if (this.id && this.transport.writable && this.writeBuffer[0]) this.transport.p(this.writeBuffer.slice());
  }
  /**
   * Whether the server has been silent for too long: a timer that a browser
   * held back could not say so. Ends the connection in that case. @internal
   */
  _() {
    const late = Date.now() > this.P + this.w;
    if (late) soon(() => this.n("ping timeout"));
    return late;
  }
  /** Waits for a ping until so many milliseconds after it is due. @internal */
  A(grace) {
    clearTimeout(this.S);
    this.S = later(() => this.n("ping timeout"), Math.max(this.P - Date.now(), 0) + Math.min(grace, this.w), this.opts);
  }
  B() {
    this.P = Date.now() + this.W;
    this.A(this.w);
  }
  /** @internal */
  c(packet) {
    const { type, data } = packet;
    if (this.readyState == "closed") return;
    this.e("packet", packet);
    if (type == "open") {
      ({ sid: this.id, upgrades: this.C, maxPayload: this.k = Infinity, pingInterval: this.W, pingTimeout: this.w } = JSON.parse(data));
      if (this.readyState == "opening") {
        this.readyState = "open";
        this.B();
        this.e(type);
        this.u();
      }
    } else if (type == "ping") {
      this.g("pong");
      this.B();
      this.e(type);
    } else if (type == "message") this.e(type, data);
  }
  /** @internal */
  h(count) {
    this.writeBuffer.splice(0, count);
    if (this.writeBuffer[0]) this.u();
    else this.e("drain");
  }
  /** @internal */
  o(details) {
    const failed = details instanceof Error;
    if (failed && this.readyState != "closed") this.e("error", details);
    this.n(failed ? "transport error" : "transport close", details);
  }
  /** @internal */
  n(reason, details, polite) {
    if (this.readyState != "closed") {
      clearTimeout(this.S);
      this.readyState = "closed";
      this.transport?.n(polite);
      this.id = void 0;
      this.e("close", reason, details);
      this.writeBuffer = [];
    }
  }
};

// src/socket.ts
var Socket = class extends Emitter {
  constructor(io2, nsp, opts = {}) {
    super();
    this.io = io2;
    this.nsp = nsp;
    const self = this;
    const { retries, ackTimeout } = opts;
    const acks = {};
    const queue = [];
    let ids = 0;
    let dropped = 0;
    let latency;
    let asked;
    let pid;
    let offset;
    const send = (type, data, id) => io2.p({ type, nsp, data, id });
    const dispatch = ({ data, id }, late) => {
      catchAll("AnyOutgoing", data);
      try {
        send(2 /* Event */, data, id);
      } catch (error) {
        if (acks[id]) acks[id](error);
        else if (late) {
          soon(() => {
            throw error;
          });
        } else throw error;
      }
    };
    const drain = (force) => {
      const entry = queue[0];
      if (self.connected && entry && (!entry.f || force)) {
        entry.f = true;
        entry.r.v++;
        self.r = entry.r;
        self.emit(...entry.$);
      }
    };
    const catchAll = (name, args) => {
      for (const listener of self.d.listeners(name)) listener.apply(self, args);
    };
    const deliver = (args) => {
      const [event, items] = args;
      if (event == "batch" && items?.every?.((item) => item?.event) && !self.hasListeners(event)) {
        for (const { event: event2, data, args: args2 = [data] } of items) deliver([event2].concat(args2));
      } else {
        catchAll("Any", args);
        self.e(...args);
      }
      const last = args[args.length - 1];
      if (pid && typeof last == "string") offset = last;
    };
    const leave = (reason) => {
      self.active = false;
      asked = 0;
      io2.z();
      if (reason) self.D(reason);
    };
    const refused = (error) => {
      if (true) explain(error);
      leave();
      self.e("connect_error", error);
    };
    Object.assign(self, {
      connected: false,
      recovered: false,
      active: false,
      auth: opts.auth,
      receiveBuffer: [],
      sendBuffer: [],
      acks,
      r: {},
      d: new Emitter(),
      connect() {
        if (!self.connected) {
          self.active = true;
          if (!io2.s) io2.open();
          if (io2.i == "open") void self.L();
        }
        return self;
      },
      disconnect() {
        const { connected } = self;
        if (connected) send(1 /* Disconnect */);
        leave(connected && "io client disconnect");
        return self;
      },
      emit(event, ...args) {
        const { r: flags } = self;
        const { timeout = ackTimeout, signal, volatile } = flags;
        const data = [event, ...args];
        const ack = typeof data[args.length] == "function" && data.pop();
        self.r = {};
        if (reserved.test(event)) throw Error(`"${event}" is a reserved event name`);
        if (retries && !flags.v && !volatile) {
          const entry = { $: data, r: { ...flags, R: true, v: 1 } };
          data.push((error, ...values) => {
            if (entry != queue[0]) return;
            if (!error || entry.r.v > retries + 1) {
              queue.shift();
              if (ack) ack(error, ...values);
            }
            entry.f = false;
            drain();
          });
          queue.push(entry);
          drain();
          return self;
        }
        const packet = { type: 2 /* Event */, nsp, data };
        if (ack) {
          const id = packet.id = ids++;
          const began = Date.now();
          const settle = acks[id] = (error, args2 = []) => {
            delete acks[id];
            clearTimeout(timer);
            signal?.removeEventListener("abort", abort);
            if (error) self.sendBuffer = self.sendBuffer.filter((other) => other != packet);
            else latency = Date.now() - began;
            if (flags.R || timeout != null || signal) ack.call(self, error, ...args2);
            else if (!error) ack.apply(self, args2);
          };
          const abort = () => settle(signal.reason || Error("aborted"));
          const timer = timeout == null ? timeout : later(() => settle(Error("operation has timed out")), timeout, io2.opts);
          if (signal?.aborted) {
            abort();
            return self;
          }
          signal?.addEventListener("abort", abort);
        }
        const { engine } = io2;
        if (!volatile || engine?.readyState == "open" && engine.transport.writable) {
          if (self.connected && !engine._()) dispatch(packet);
          else if (self.sendBuffer.push(packet) > (opts.bufferLimit ?? 1e4)) {
            dropped++;
            acks[self.sendBuffer[opts.bufferPolicy == "newest" ? "pop" : "shift"]().id]?.(Error("dropped"));
            if (true) warn("buffer", "events are dropped because too many wait for the connection (bufferLimit)");
          }
        }
        return self;
      },
      stats: () => ({ connects: io2.M, bytesIn: io2.j, bytesOut: io2.N, latency, buffered: self.sendBuffer.length + queue.length, dropped }),
      async L() {
        const { engine } = io2;
        const { auth } = self;
        if (asked == engine) return;
        asked = engine;
        try {
          const data = await (typeof auth == "function" ? auth.length ? new Promise(auth) : auth() : auth);
          if (asked == engine) send(0 /* Connect */, pid ? { pid, offset, ...data } : data);
        } catch (error) {
          if (asked == engine) refused(error);
        }
      },
      q({ type, data, id }) {
        const args = data || [];
        if (type == 0 /* Connect */) {
          const { sid, pid: given2 } = args;
          if (!sid) return void self.e("connect_error", Error(true ? "the server speaks version 2 of Socket.IO, which this client does not" : "version 2"));
          self.id = sid;
          self.recovered = !!given2 && pid == given2;
          pid = given2;
          self.connected = true;
          self.receiveBuffer.splice(0).map(deliver);
          self.sendBuffer.splice(0).map((packet) => dispatch(packet, 1));
          drain(true);
          self.e("connect");
        } else if (type == 2 /* Event */) {
          if (id != null) {
            args.push((...answer) => {
              if (id != null) send(3 /* Ack */, answer, id);
              id = void 0;
            });
          }
          if (self.connected) deliver(args);
          else self.receiveBuffer.push(args);
        } else if (type == 3 /* Ack */) {
          acks[id]?.(null, args);
        } else if (type == 1 /* Disconnect */) leave("io server disconnect");
        else refused(Object.assign(Error(args.message || data), { data: args.data }));
      },
      D(reason, details) {
        asked = 0;
        self.connected = false;
        self.id = void 0;
        self.e("disconnect", reason, details);
        for (const id in acks) {
          if (!self.sendBuffer.some((packet) => packet.id == id)) acks[id](Error("socket has been disconnected"));
        }
      }
    });
    self.open = self.connect;
    self.close = self.disconnect;
  }
  /** Makes the next event one that is dropped if it cannot leave at once. */
  get volatile() {
    this.r.volatile = true;
    return this;
  }
  get disconnected() {
    return !this.connected;
  }
  /** Limits the time for the answer to the next event, in milliseconds. */
  timeout(ms) {
    this.r.timeout = ms;
    return this;
  }
  /** Lets a signal end the wait for the answer to the next event. */
  signal(signal) {
    this.r.signal = signal;
    return this;
  }
  /** Without an effect here: browsers compress as they like. */
  compress(_) {
    return this;
  }
  /** Sends an event called "message". */
  send(...args) {
    return this.emit("message", ...args);
  }
  /** Sends an event and resolves with the answer. */
  emitWithAck(event, ...args) {
    return new Promise((resolve, reject) => {
      this.r.R = true;
      const ack = (error, value) => error ? reject(error) : resolve(value);
      this.emit(event, ...[...args, ack]);
    });
  }
};
for (const name of ["Any", "AnyOutgoing"]) {
  Object.assign(Socket.prototype, {
    ["on" + name](listener) {
      this.d.on(name, listener);
      return this;
    },
    ["prepend" + name](listener) {
      this.d.m[name] = [listener, ...this.d.listeners(name)];
      return this;
    },
    ["off" + name](listener) {
      this.d.off(name, listener);
      return this;
    },
    ["listeners" + name]() {
      return this.d.listeners(name);
    }
  });
}

// src/manager.ts
var defaults = {
  autoConnect: true,
  reconnection: true,
  reconnectionAttempts: Infinity,
  reconnectionDelay: 1e3,
  reconnectionDelayMax: 5e3,
  randomizationFactor: 0.5,
  timeout: 2e4
};
var Manager = class extends Emitter {
  constructor(uri, opts) {
    super();
    this.uri = uri;
    const self = this;
    const o = self.opts = { path: "/socket.io", ...opts };
    for (const name in defaults) o[name] ??= defaults[name];
    const codec = o.parser || env.Q;
    const encoder = new codec.Encoder();
    const decoder = new codec.Decoder();
    const watch2 = env.I?.(self);
    let attempts = 0;
    let timer;
    let released;
    const each = (fn) => {
      for (const socket of Object.values(self.nsps)) if (socket.active) fn(socket);
    };
    const failed = (error) => {
      if (true) explain(error);
      self.e("error", error);
      each((socket) => socket.connected || socket.e("connect_error", error));
    };
    const ended = () => {
      clearTimeout(timer);
      self.s = void 0;
      self.i = "closed";
      watch2?.();
      decoder.destroy();
      self.engine.close();
    };
    const closed = (reason, details) => {
      ended();
      attempts = 0;
      self.e("close", reason, details);
      each((socket) => socket.D(reason, details));
      reconnect();
    };
    const reconnect = () => {
      if (!o.reconnection || released || self.s || self.i != "closed") return;
      if (attempts >= (o.reconnectionAttempts || Infinity)) {
        attempts = 0;
        self.e("reconnect_failed");
        return;
      }
      const retry = self.s = () => {
        clearTimeout(timer);
        if (self.s) self.e("reconnect_attempt", ++attempts);
        if (self.s) {
          self.open((error) => {
            if (error) {
              reconnect();
              self.e("reconnect_error", error);
            } else {
              const made = attempts;
              attempts = 0;
              self.e("reconnect", made);
            }
          });
        }
      };
      const jitter = o.randomizationFactor;
      timer = later(
        retry,
        Math.min((o.reconnectionDelay || 1e3) * 2 ** attempts, (o.reconnectionDelayMax || 5e3) / (1 + jitter)) * (1 + jitter * (2 * Math.random() - 1)),
        o
      );
      watch2?.(true);
    };
    decoder.on(
      "decoded",
      (packet) => soon(() => {
        self.e("packet", packet);
        const socket = self.nsps[packet.nsp];
        if (socket?.active) socket.q(packet);
      })
    );
    Object.assign(self, {
      nsps: {},
      i: "closed",
      M: 0,
      j: 0,
      N: 0,
      open(done) {
        if (self.i != "closed") return self;
        clearTimeout(timer);
        self.s = void 0;
        self.i = "opening";
        released = false;
        watch2?.(true);
        const fail = (error) => {
          ended();
          failed(error);
          if (done) done(error);
          else if (!attempts) reconnect();
        };
        const engine = self.engine = new Engine(uri, o, (event, a, b) => {
          const opening = self.i == "opening";
          if (engine != self.engine || self.i == "closed") return;
          if (event == "open") {
            clearTimeout(timer);
            self.M++;
            self.i = event;
            self.e(event);
            each((socket) => socket.L());
            done?.();
          } else if (event == "message") {
            self.j += lengthOf(a);
            try {
              decoder.add(a);
            } catch (error) {
              closed("parse error", error);
            }
          } else if (event == "ping") self.e(event);
          else if (event == "error") (opening ? fail : failed)(a);
          else if (event == "close") {
            if (opening) fail(transportError(a, b));
            else closed(a, b);
          }
        });
        if (o.timeout !== false) timer = later(() => fail(Error("timeout")), o.timeout, o);
        return self;
      },
      socket(nsp, opts2) {
        const socket = self.nsps[nsp] ||= new Socket(self, nsp, opts2);
        if (o.autoConnect && !socket.active) socket.connect();
        return socket;
      },
      z() {
        if (!Object.values(self.nsps).some((socket) => socket.active)) {
          released = true;
          if (self.engine) closed("forced close");
        }
      },
      p(packet) {
        const messages = encoder.encode(packet);
        for (const message of messages) {
          self.N += lengthOf(message);
          env.U?.(message, self.engine.k);
        }
        for (const message of messages) self.engine.write(message);
      }
    });
    self.connect = self.open;
    if (o.autoConnect) self.open();
  }
};
for (const name in defaults) {
  Manager.prototype[name] = function(value) {
    if (value === void 0) return this.opts[name];
    this.opts[name] = value;
    if (!this.opts.reconnection) this.s = void 0;
    return this;
  };
}

// src/io.ts
var cache = {};
function lookup(uri, opts) {
  if (typeof uri == "object") {
    opts = uri;
    uri = void 0;
  }
  const options = { path: "/socket.io", ...opts };
  const [secure, host, path] = parse(uri);
  const id = [secure, host, options.path] + "";
  const known = cache[id];
  return (options.forceNew || options["force new connection"] || options.multiplex === false || known && known.nsps[path] ? new Manager(uri, options) : cache[id] = known || new Manager(uri, options)).socket(path, options);
}
var io = Object.assign(lookup, { Manager, Socket, protocol, io: lookup, connect: lookup });

// src/events.ts
function events(socket, event, { signal, limit = Infinity } = {}) {
  const waiting = [];
  const readers = [];
  const over = { value: void 0, done: true };
  let ended = false;
  const listener = (...value) => {
    const reader = readers.shift();
    if (reader) reader({ value, done: false });
    else if (waiting.push(value) > limit) waiting.shift();
  };
  const end = () => {
    ended = true;
    socket.off(event, listener);
    if (signal) signal.removeEventListener("abort", end);
    for (const reader of readers.splice(0)) reader(over);
  };
  socket.on(event, listener);
  if (signal) {
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  }
  return {
    next: () => new Promise((resolve) => {
      const value = waiting.shift();
      if (value) resolve({ value, done: false });
      else if (ended) resolve(over);
      else readers.push(resolve);
    }),
    return: async () => {
      waiting.length = 0;
      end();
      return over;
    },
    [Symbol.asyncIterator]() {
      return this;
    }
  };
}

// src/core.ts
env.l.websocket = websocket;
env.Q = json;

// src/engine/webtransport.ts
async function frame(packet) {
  const message = encode(packet);
  const binary = typeof message != "string";
  const body = binary ? await bytesOf(message) : new TextEncoder().encode(message);
  const size = body.length;
  const head = size < 126 ? 1 : size < 65536 ? 3 : 9;
  const out = new Uint8Array(head + size);
  const view = new DataView(out.buffer);
  view.setUint8(0, (binary ? 128 : 0) | (head == 1 ? size : head == 3 ? 126 : 127));
  if (head == 3) view.setUint16(1, size);
  if (head == 9) view.setBigUint64(1, BigInt(size));
  out.set(body, head);
  return out;
}
var webtransport = {
  name: "webtransport",
  a(engine, host, opts) {
    let closed = false;
    let writer;
    let session;
    const end = (details) => {
      if (!closed) self.t.o(details);
      closed = true;
    };
    const fail = (error) => end(transportError("webtransport error", error));
    const self = {
      name: "webtransport",
      writable: false,
      t: host,
      p(packets) {
        self.writable = false;
        void (async () => {
          try {
            for (const packet of packets) await writer.write(await frame(packet));
            if (closed) return;
            soon(() => {
              self.writable = true;
              self.t.h(packets.length);
            });
          } catch (error) {
            fail(error);
          }
        })();
      },
      n() {
        closed = true;
        const hangUp = () => session.close();
        if (writer) writer.close().then(hangUp, hangUp);
        else if (session) session.ready.then(hangUp, () => {
        });
      }
    };
    async function read(from) {
      const reader = from.getReader();
      let have = new Uint8Array(0);
      const need = async (n) => {
        if (have.length < n) {
          const chunks = [have];
          let size = have.length;
          while (size < n) {
            const { value, done } = await reader.read();
            if (done) return;
            chunks.push(value);
            size += value.length;
          }
          have = new Uint8Array(size);
          let at = 0;
          for (const chunk of chunks) {
            have.set(chunk, at);
            at += chunk.length;
          }
        }
        const taken = have.slice(0, n);
        have = have.subarray(n);
        return taken;
      };
      for (; ; ) {
        const first = await need(1);
        if (!first || closed) break;
        let size = first[0] & 127;
        if (size > 125) {
          const rest = await need(size == 126 ? 2 : 8);
          if (!rest) break;
          const view = new DataView(rest.buffer);
          size = rest.length == 2 ? view.getUint16(0) : Number(view.getBigUint64(0));
        }
        if (!size || !Number.isSafeInteger(size)) throw Error("parser error");
        const body = await need(size);
        if (!body || closed) break;
        const packet = first[0] & 128 ? { type: "message", data: body.buffer } : decode(new TextDecoder().decode(body));
        if (!packet) throw Error("parser error");
        self.t.c(packet);
      }
      end({ description: "transport closed by the server" });
    }
    void (async () => {
      try {
        const { transportOptions } = engine.opts;
        session = new WebTransport(engine.b("webtransport", "http", opts).replace(/^https?/, "https"), transportOptions && transportOptions.webtransport);
        session.closed.then(() => end({ description: "transport closed gracefully" }), fail);
        await session.ready;
        if (closed) return;
        const stream = await session.createBidirectionalStream();
        writer = stream.writable.getWriter();
        void read(stream.readable).catch(fail);
        const sid = engine.id;
        await writer.write(await frame({ type: "open", data: sid && JSON.stringify({ sid }) }));
        if (closed) return;
        self.writable = true;
        self.t.x?.();
      } catch (error) {
        fail(error);
      }
    })();
    return self;
  }
};

// src/node.ts
var connectionOptions = [
  "agent",
  "pfx",
  "key",
  "passphrase",
  "cert",
  "ca",
  "ciphers",
  "rejectUnauthorized",
  "localAddress",
  "family",
  "checkServerIdentity",
  "servername"
];
var socketOptions = ["perMessageDeflate", "origin", "maxPayload", "protocolVersion", "followRedirects"];
var pick = (from, names) => Object.fromEntries(names.filter((name) => from[name] !== void 0 && from[name] !== false).map((name) => [name, from[name]]));
var _cookies;
var Jar = class {
  constructor() {
    __privateAdd(this, _cookies, /* @__PURE__ */ new Map());
  }
  take(response) {
    for (const line of response.headers["set-cookie"] ?? []) {
      const [pair, ...attributes] = line.split(";");
      const at = pair.indexOf("=");
      if (at < 1) continue;
      let expires = Infinity;
      let byAge = false;
      for (const attribute of attributes) {
        const [name, value = ""] = attribute.trim().split("=");
        if (/^max-age$/i.test(name)) {
          byAge = true;
          expires = Date.now() + 1e3 * Number(value);
        } else if (/^expires$/i.test(name) && !byAge) expires = Date.parse(value);
      }
      __privateGet(this, _cookies).set(pair.slice(0, at).trim(), { value: pair.slice(at + 1).trim(), expires });
    }
  }
  header() {
    const now = Date.now();
    return [...__privateGet(this, _cookies)].filter(([, c]) => c.expires > now).map(([name, c]) => name + "=" + c.value).join("; ");
  }
};
_cookies = new WeakMap();
var jars = /* @__PURE__ */ new WeakMap();
function headersOf(opts, jar) {
  const headers = { ...opts.extraHeaders };
  const cookies = jar?.header();
  if (cookies) {
    const name = Object.keys(headers).find((key) => /^cookie$/i.test(key)) ?? "Cookie";
    headers[name] = [headers[name], cookies].filter(Boolean).join("; ");
  }
  return headers;
}
var fetcher = (opts, jar) => ((url, { method = "GET", body, signal } = {}) => new Promise((resolve, reject) => {
  const headers = { Accept: "*/*", ...headersOf(opts, jar) };
  if (body !== void 0) {
    headers["Content-Type"] = "text/plain;charset=UTF-8";
    headers["Content-Length"] = Buffer.byteLength(body);
  }
  const request = url.startsWith("https:") ? httpsRequest : httpRequest;
  const sent = request(url, { agent: false, method, headers, signal, ...pick(opts, connectionOptions), ...opts.rejectUnauthorized === false && { rejectUnauthorized: false } }, (response) => {
    jar?.take(response);
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (part) => text += part);
    response.on("error", reject);
    response.on("end", () => {
      const status = response.statusCode;
      resolve({ status, ok: status >= 200 && status < 300, headers: response.headers, text: async () => text });
    });
  });
  if (opts.autoUnref) sent.on("socket", (socket) => socket.unref());
  sent.on("error", reject);
  sent.end(body);
}));
var ws;
try {
  ws = createRequire(false ? void 0 : import.meta.url)("ws");
} catch {
}
var inNode = (kind) => ({
  name: kind.name,
  a(engine, host, opts) {
    let jar = jars.get(engine);
    if (opts.withCredentials && !jar) jars.set(engine, jar = new Jar());
    return kind.a(engine, host, {
      fetch: fetcher(opts, jar),
      // As a function, because that may return what it made.
      WebSocket: ws && (function(url, protocols) {
        const socket = new ws(url, protocols, {
          headers: headersOf(opts, jar),
          ...pick(opts, [...connectionOptions, ...socketOptions]),
          ...opts.rejectUnauthorized === false && { rejectUnauthorized: false }
        });
        if (opts.autoUnref) socket.on("upgrade", (response) => response.socket.unref());
        return socket;
      }),
      ...opts
    });
  }
});
var nodePolling = inNode(polling);
var nodeWebSocket = inNode(websocket);
env.l = { websocket: nodeWebSocket, polling: nodePolling };
export {
  nodePolling as Fetch,
  Manager,
  nodeWebSocket as NodeWebSocket,
  nodePolling as NodeXHR,
  Socket,
  nodeWebSocket as WebSocket,
  webtransport as WebTransport,
  nodePolling as XHR,
  io as connect,
  io as default,
  events,
  io,
  protocol
};
//# sourceMappingURL=node.js.map
