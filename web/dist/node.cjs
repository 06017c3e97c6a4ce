/*! Sockeye, a Socket.IO client. MIT licence. */
"use strict";
var __defProp = Object.defineProperty;
var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __hasOwnProp = Object.prototype.hasOwnProperty;
var __typeError = (msg) => {
  throw TypeError(msg);
};
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
var __accessCheck = (obj, member, msg) => member.has(obj) || __typeError("Cannot " + msg);
var __privateGet = (obj, member, getter) => (__accessCheck(obj, member, "read from private field"), getter ? getter.call(obj) : member.get(obj));
var __privateAdd = (obj, member, value) => member.has(obj) ? __typeError("Cannot add the same private member more than once") : member instanceof WeakSet ? member.add(obj) : member.set(obj, value);

// src/node.ts
var node_exports = {};
__export(node_exports, {
  Fetch: () => nodePolling,
  Manager: () => Manager,
  NodeWebSocket: () => nodeWebSocket,
  NodeXHR: () => nodePolling,
  Socket: () => Socket,
  WebSocket: () => nodeWebSocket,
  WebTransport: () => webtransport,
  XHR: () => nodePolling,
  connect: () => io,
  default: () => io,
  events: () => events,
  io: () => io,
  protocol: () => protocol
});
module.exports = __toCommonJS(node_exports);
var import_node_http = require("node:http");
var import_node_https = require("node:https");
var import_node_module = require("node:module");

// src/binary.ts
var isBinary = (value) => ArrayBuffer.isView(value) || /(Buffer|Blob|File)]$/.test({}.toString.call(value));
var given = (bytes) => bytes instanceof ArrayBuffer ? Buffer.from(bytes) : bytes;
var sizeOf = (data) => typeof data == "string" ? new TextEncoder().encode(data).length : data.byteLength ?? data.size;

// src/env.ts
var scope = globalThis;
var env = {
  f: {},
  i: (engine, host, [kind]) => {
    if (kind) engine.transport = engine.w(kind, host);
  }
};
function later(fn, ms, unref) {
  const timer = setTimeout(fn, ms);
  if (unref) timer.unref();
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
  if (typeof message == "string") return message;
  const { buffer, byteOffset, byteLength } = ArrayBuffer.isView(message) ? message : new Uint8Array(await new Response(message).arrayBuffer());
  let text = "";
  for (let i = 0; i < byteLength; i += 8192) {
    text += String.fromCharCode(...new Uint8Array(buffer, byteOffset + i, Math.min(8192, byteLength - i)));
  }
  return "b" + scope.btoa(text);
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
var requestOf = ({ withCredentials, extraHeaders }) => ({
  credentials: withCredentials ? "include" : "same-origin",
  headers: extraHeaders
});

// src/engine/polling.ts
var separator = "";
var polling = {
  name: "polling",
  i(engine, host, opts) {
    const aborter = new AbortController();
    let open = false;
    let closed = false;
    let sending = false;
    let paused;
    let waiting = false;
    const end = (details) => {
      if (!closed) {
        self.r();
        self.t.n(details);
      }
    };
    const request = async (what, body) => {
      let status = 0;
      let context;
      let timer;
      if (opts.requestTimeout) timer = later(() => aborter.abort(), opts.requestTimeout, opts.autoUnref);
      try {
        const response = await (opts.fetch || fetch)(engine.u("polling", "http", opts), {
          method: body ? "POST" : "GET",
          body,
          // The last word of a page that is being left.
          keepalive: body == "1",
          ...requestOf(opts),
          signal: aborter.signal
        });
        context = response;
        if (response.status == 200) return await response.text();
        status = response.status;
      } catch (err) {
        context = err;
      } finally {
        clearTimeout(timer);
      }
      end(transportError(`xhr ${what} error`, status, context));
    };
    const poll = async () => {
      waiting = true;
      const text = await request("poll");
      waiting = false;
      if (text === void 0) return;
      for (const part of text.split(separator)) {
        if (closed) return;
        const packet = decodeBase64(part);
        if (!packet) end(transportError("parser error"));
        else if (packet.type == "close") end({ description: "transport closed by the server" });
        else {
          if (packet.type == "open") open = self.writable = true;
          self.t.c(packet);
        }
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
      writable: false,
      t: host,
      a(packets) {
        let size = 0;
        let fitting = packets.findIndex(({ data = "" }, i) => {
          size += 2 + (typeof data == "string" ? sizeOf(data) : Math.ceil(sizeOf(data) / 3) * 4);
          return i && size > engine.v;
        });
        if (fitting < 0) fitting = packets.length;
        self.writable = false;
        sending = true;
        void (async () => {
          const parts = await Promise.all(packets.slice(0, fitting).map(encodeBase64));
          if (!closed && await request("post", parts.join(separator)) !== void 0 && !closed) {
            sending = false;
            self.writable = !paused;
            self.t.m();
            if (paused) next();
          }
        })();
        return fitting;
      },
      r(polite) {
        if (!closed) {
          closed = true;
          const abort = () => aborter.abort();
          if (polite && open) {
            void request("post", "1").then(abort);
            later(abort, 5e3, opts.autoUnref);
          } else abort();
        }
      },
      k(done) {
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
  i(engine, host, opts) {
    let closed = false;
    let ws2;
    const fail = async (event) => {
      if (closed) return;
      closed = true;
      if (!engine.id && engine.x) {
        try {
          const url = engine.u("polling", "http", opts);
          const request = opts.fetch || fetch;
          const response = await request(url, requestOf(opts));
          if (response.status > 400) event = response.status;
          const { sid } = JSON.parse((await response.text()).slice(1));
          if (sid) await request(url + "&sid=" + sid, { ...requestOf(opts), method: "POST", body: "1" });
        } catch (_) {
        }
      }
      self.t.n(transportError("websocket error", event));
    };
    const self = {
      name: "websocket",
      writable: false,
      t: host,
      a(packets) {
        self.writable = false;
        for (const packet of packets) ws2.send(encode(packet));
        soon(() => {
          self.writable = true;
          self.t.m();
        });
      },
      r() {
        closed = true;
        if (ws2) ws2.close();
      }
    };
    try {
      ws2 = new (opts.WebSocket || WebSocket)(engine.u("websocket", "ws", opts), opts.protocols || [], {
        headers: opts.extraHeaders
      });
      ws2.binaryType = "arraybuffer";
      ws2.onopen = () => {
        self.writable = true;
        self.t.E?.();
      };
      ws2.onmessage = ({ data }) => {
        const packet = typeof data == "string" ? decode(data) : { type: "message", data };
        if (packet) self.t.c(packet);
        else void fail(Error("parser error"));
      };
      ws2.onerror = fail;
      ws2.onclose = (context) => {
        if (!closed) self.t.n({ description: "websocket connection closed", context });
        closed = true;
      };
    } catch (err) {
      soon(() => void fail(err));
    }
    return self;
  }
};

// src/engine/upgrade.ts
function upgrade(engine, host, kinds, done) {
  const old = engine.transport;
  for (const kind of kinds) {
    let next;
    let paused = false;
    let over = false;
    const fail = (cause) => {
      if (over) return;
      over = true;
      if (next) next.r();
      if (paused) {
        engine.upgrading = false;
        old.k();
      }
      engine.e("upgradeError", Object.assign(Error("probe error"), { transport: kind.name, cause }));
      engine.d();
    };
    const probe = () => {
      if (over) return;
      const self = next = engine.w(kind, {
        E: () => self.a([{ type: "ping", data: "probe" }]),
        c({ type, data }) {
          if (over) return;
          if (type != "pong" || data != "probe" || engine.upgrading) return fail(type);
          engine.upgrading = paused = true;
          engine.e("upgrading", self);
          old.k(() => {
            if (over) return;
            over = true;
            self.a([{ type: "upgrade" }]);
            old.r();
            self.t = host;
            engine.transport = self;
            engine.upgrading = false;
            done(kind.name);
            engine.e("upgrade", self);
            engine.d();
          });
        },
        m() {
        },
        n: fail
      });
    };
    engine.once("close", fail);
    engine.once("upgrade", fail);
    if (kind.name == "websocket" && kinds[1]) later(probe, 200, engine.opts.autoUnref);
    else probe();
  }
}

// src/engine/several.ts
var patience = 5e3;
var lastGood = "";
function start(engine, host, kinds) {
  const { rememberUpgrade, tryAllTransports, upgrade: mayUpgrade, autoUnref } = engine.opts;
  const [kind, next] = rememberUpgrade && kinds.filter(({ name }) => name == lastGood && name != "polling")[0] && [env.f[lastGood]] || kinds;
  if (!kind) return;
  const last = engine.x = !next || !(tryAllTransports ?? kind.name != "polling");
  let timer;
  const transport = engine.transport = engine.w(kind, {
    ...host,
    c(packet) {
      clearTimeout(timer);
      transport.t = host;
      lastGood = kind.name;
      host.c(packet);
      if (mayUpgrade != false && transport.k && engine.readyState == "open") {
        upgrade(engine, host, kinds.filter(({ name }) => engine.L.includes(name)), (name) => lastGood = name);
      }
    },
    n(details) {
      clearTimeout(timer);
      lastGood = "";
      if (last || engine.readyState != "opening") host.n(details);
      else start(engine, host, kinds.slice(1));
    }
  });
  if (!last) {
    timer = later(() => {
      transport.r();
      transport.t.n(Error("timeout"));
    }, patience, autoUnref);
  }
}

// src/parser.ts
var protocol = 5;
var CONNECT = 0;
var DISCONNECT = 1;
var EVENT = 2;
var ACK = 3;
var CONNECT_ERROR = 4;
var BINARY = 3;
var reserved = /^(connect(_error)?|disconnect(ing)?|(new|remove)Listener)$/;
var maxAttachments = 10;
var bad = (text) => {
  throw Error(text || "invalid packet");
};
var hasBinary = (value, afterToJSON) => value && typeof value == "object" && (isBinary(value) || (!afterToJSON && value.toJSON ? hasBinary(value.toJSON(), true) : Object.values(value).some((v) => hasBinary(v))));
var Encoder = class {
  encode({ type, nsp, id, data }) {
    const attachments = [];
    const binary = hasBinary(data);
    const json2 = JSON.stringify(
      data,
      // The replacer sees the value before toJSON in its holder, which is where
      // the bytes of a Node Buffer still are.
      binary && function(key, value) {
        const bytes = isBinary(value) ? value : this[key];
        return isBinary(bytes) ? { ["_placeholder"]: true, num: attachments.push(bytes) - 1 } : value;
      }
    );
    return [
      (binary ? type + BINARY + (attachments.length + "-") : type) + (nsp == "/" ? "" : nsp + ",") + (id ?? "") + (json2 || ""),
      ...attachments
    ];
  }
};
var Decoder = class {
  constructor() {
    /** @internal */
    this.g = [];
  }
  on(_, listener) {
    this.B = listener;
  }
  /** Takes the next message; throws if it breaks the protocol. */
  add(message) {
    let packet = this.p;
    if (typeof message == "string") {
      if (packet) bad("got plaintext data when reconstructing a packet");
      packet = decodeText(message);
    } else {
      if (!isBinary(message)) bad("Unknown type: " + message);
      if (!packet) return bad("got binary data when not reconstructing a packet");
      this.g.push(given(message));
    }
    if (this.g.length < packet.attachments) this.p = packet;
    else {
      if (packet.attachments) {
        packet.data = fill(packet.data, this.g);
        delete packet.attachments;
        this.destroy();
      }
      this.B(packet);
    }
  }
  /** Forgets a packet of which only a part has arrived. */
  destroy() {
    this.p = void 0;
    this.g = [];
  }
};
function decodeText(text) {
  const [, kind, count, nsp = "/", id, json2] = /^([0-6]?)(?:(\d+)-)?(?:(\/[^,]*),?)?(\d*)([^]*)/.exec(text);
  const type = +kind;
  const binary = type > CONNECT_ERROR;
  const packet = { type: binary ? type - BINARY : type, nsp };
  if (!kind) bad("unknown packet type " + parseInt(text[0]));
  if (binary) {
    packet.attachments = +count;
    if (!packet.attachments) bad("Illegal attachments");
    if (packet.attachments > maxAttachments) bad("too many attachments");
  } else if (count) bad("invalid payload");
  if (id) packet.id = +id;
  if (json2) {
    try {
      packet.data = JSON.parse(json2);
    } catch (_) {
    }
    const { data } = packet;
    const list = Array.isArray(data);
    const dict = !list && data && typeof data == "object";
    const name = list && data[0];
    if (![
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
    ][packet.type]) {
      bad("invalid payload");
    }
  }
  return packet;
}
function fill(value, buffers) {
  if (value && typeof value == "object") {
    const dict = value;
    if (dict["_placeholder"] === true) {
      return typeof dict.num == "number" && dict.num in buffers ? buffers[dict.num] : bad("illegal attachments");
    }
    for (const key of Object.keys(dict)) dict[key] = fill(dict[key], buffers);
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
    this.y = /* @__PURE__ */ Object.create(null);
  }
  /** Calls the listener at each `event`. */
  on(event, listener) {
    const all = this.listeners(event);
    this.y[event] = [...all, listener];
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
    wrapper.R = listener;
    return this.on(event, wrapper);
  }
  /** Removes one listener, all listeners of an event, or all listeners. */
  off(event, listener) {
    if (event == null) this.y = /* @__PURE__ */ Object.create(null);
    else {
      let found = false;
      this.y[event] = this.listeners(event).filter(
        (fn) => listener && (found || !(found = fn == listener || fn.R == listener))
      );
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
    return this.y[event] || [];
  }
  /** Whether anyone listens to `event`. */
  hasListeners(event) {
    return !!this.listeners(event)[0];
  }
};
var proto = Emitter.prototype;
proto.addEventListener = proto.on;
proto.removeListener = proto.removeEventListener = proto.removeAllListeners = proto.off;

// src/url.ts
function parse(uri = "") {
  const page2 = scope.location || { protocol: "https:", host: "" };
  const [, scheme = page2.protocol, at, path, query] = /^(?:(\w+:)?\/\/(?:[^/?#]*@)?)?([^/?#]*)([^?#]*)\??([^#]*)/.exec(uri);
  const secure = /s:$/i.test(scheme);
  const host = (at || page2.host).replace(secure ? /:443$/ : /:80$/, "");
  if (!host) throw Error(true ? 'io(): without a page to take it from, the address must name a host, as in io("https://example.org")' : "no host");
  return [secure, host, path || "/", query];
}

// src/engine/engine.ts
var wakeGrace = 3e3;
function connect(uri, opts, owner) {
  const self = new Emitter();
  const [secure, authority, , ownQuery] = parse(uri);
  let sent = 0;
  let timer;
  let lastPing;
  let pingInterval;
  let pingTimeout;
  const fire = (event, a, b) => {
    owner(event, a, b);
    self.e(event, a, b);
  };
  const write = (type, data) => {
    if (/^open/.test(self.readyState)) {
      const packet = { type, data };
      fire("packetCreate", packet);
      self.writeBuffer.push(packet);
      self.d();
    }
    return self;
  };
  const awaitPing = (grace) => {
    clearTimeout(timer);
    if (self.readyState != "closed") {
      timer = later(() => self.n("ping timeout"), Math.max(lastPing + pingInterval - Date.now(), 0) + grace, opts.autoUnref);
    }
  };
  Object.assign(self, {
    opts,
    readyState: "opening",
    writeBuffer: [],
    x: true,
    write: (data) => write("message", data),
    close() {
      if (/^open/.test(self.readyState)) {
        self.readyState = "closing";
        const finish = () => self.n("forced close", void 0, true);
        if (self.writeBuffer[0]) self.once("drain", finish);
        else finish();
      }
      return self;
    },
    u: (name, scheme, { query, timestampRequests, timestampParam = "t", path = "/engine.io", addTrailingSlash }) => scheme + (secure ? "s://" : "://") + authority + path.replace(/\/$/, "") + (addTrailingSlash == false ? "?" : "/?") + [
      ownQuery || new URLSearchParams(query),
      "EIO=4",
      "transport=" + name,
      (timestampRequests ?? name == "polling") && timestampParam + "=" + (Date.now() + Math.random()).toString(36),
      self.id && "sid=" + self.id
    ].filter((part) => part && part + "").join("&"),
    w: (kind, host) => kind.i(self, host, { ...opts, ...(opts.transportOptions || {})[kind.name] }),
    d() {
      if (self.readyState != "closed" && self.transport.writable && self.writeBuffer[0]) {
        const packets = self.writeBuffer.slice();
        sent = self.transport.a(packets) || packets.length;
      }
    },
    _() {
      const late = Date.now() > lastPing + pingInterval + pingTimeout;
      if (late) {
        lastPing = Infinity;
        soon(() => self.n("ping timeout"));
      }
      return late;
    },
    N() {
      if (self.readyState == "open" && !self._()) {
        write("noop");
        awaitPing(Math.min(pingTimeout, wakeGrace));
      }
    },
    n(reason, details, polite) {
      if (self.readyState != "closed") {
        clearTimeout(timer);
        self.readyState = "closed";
        if (self.transport) self.transport.r(polite);
        self.id = void 0;
        fire("close", reason, details);
        self.writeBuffer = [];
        sent = 0;
      }
    }
  });
  self.send = self.write;
  env.i(
    self,
    {
      c(packet) {
        const { type, data } = packet;
        if (self.readyState == "closed") return;
        fire("packet", packet);
        if (type == "open") {
          ({ sid: self.id, upgrades: self.L, maxPayload: self.v = Infinity, pingInterval, pingTimeout } = JSON.parse(data));
          if (self.readyState == "opening") {
            self.readyState = "open";
            lastPing = Date.now();
            fire(type);
            self.d();
            awaitPing(pingTimeout);
          }
        } else if (type == "ping") {
          write("pong");
          fire(type);
          lastPing = Date.now();
          awaitPing(pingTimeout);
        } else if (type == "message") {
          fire(type, data);
        }
      },
      m() {
        self.writeBuffer.splice(0, sent);
        sent = 0;
        if (self.writeBuffer[0]) self.d();
        else fire("drain");
      },
      n(details) {
        if (self.readyState == "opening" && !(details instanceof Error)) details = transportError(details.description, 0, details);
        if (self.readyState != "closed" && details instanceof Error) fire("error", details);
        self.n(details instanceof Error ? "transport error" : "transport close", details);
      }
    },
    opts.transports ? opts.transports.map((want) => env.f[want] || want).filter((kind) => kind.i) : Object.values(env.f)
  );
  if (!self.transport) soon(() => fire("error", "No transports available"));
  return self;
}

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
    const send = (type, data, id) => io2.a({ type, nsp, data, id });
    const dispatch = ({ data, id }, late) => {
      for (const listener of self.O) listener.apply(self, data);
      try {
        send(EVENT, data, id);
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
      if (self.connected && entry && (!entry.p || force)) {
        entry.p = true;
        entry.T++;
        self.o = entry.o;
        self.emit(...entry.j);
      }
    };
    const deliver = (args) => {
      for (const listener of self.A) listener.apply(self, args);
      self.e(...args);
      const last = args[args.length - 1];
      if (pid && typeof last == "string") offset = last;
    };
    const leave = (reason) => {
      self.active = false;
      asked = 0;
      io2.C();
      if (reason) self.S(reason);
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
      o: {},
      A: [],
      O: [],
      connect() {
        if (!self.connected) {
          self.active = true;
          if (!io2.h) io2.open();
          if (io2.s == "open") void self.P();
        }
        return self;
      },
      disconnect() {
        const { connected } = self;
        if (connected) send(DISCONNECT);
        leave(connected && "io client disconnect");
        return self;
      },
      emit(event, ...args) {
        const { o: flags } = self;
        const { timeout = ackTimeout, signal } = flags;
        self.o = {};
        if (reserved.test(event)) throw Error(`"${event}" is a reserved event name`);
        const data = [event, ...args];
        const ack = typeof args[args.length - 1] == "function" && data.pop();
        if (retries && !flags.M && !flags.volatile) {
          const entry = { j: data, o: { ...flags, M: true }, T: 0 };
          const answered = (error, ...values) => {
            if (entry != queue[0]) return;
            if (!error || entry.T > retries) {
              queue.shift();
              if (ack) ack(error, ...values);
            }
            entry.p = false;
            drain();
          };
          answered.D = true;
          data.push(answered);
          queue.push(entry);
          drain();
          return self;
        }
        const packet = { type: EVENT, nsp, data };
        if (ack) {
          const id = packet.id = ids++;
          const began = Date.now();
          const settle = acks[id] = (error, args2 = []) => {
            delete acks[id];
            clearTimeout(timer);
            if (signal) signal.removeEventListener("abort", abort);
            if (error) self.sendBuffer = self.sendBuffer.filter((other) => other != packet);
            else latency = Date.now() - began;
            if (ack.D || timeout !== void 0 || signal) ack.call(self, error, ...args2);
            else if (!error) ack.apply(self, args2);
          };
          const abort = () => settle(signal.reason || Error("aborted"));
          const timer = timeout === void 0 ? timeout : later(() => settle(Error("operation has timed out")), timeout, io2.opts.autoUnref);
          if (signal) {
            if (signal.aborted) {
              abort();
              return self;
            }
            signal.addEventListener("abort", abort);
          }
        }
        const { engine } = io2;
        if (!flags.volatile || engine && engine.readyState == "open" && engine.transport.writable) {
          if (self.connected && !engine._()) dispatch(packet);
          else if (self.sendBuffer.push(packet) > (opts.bufferLimit ?? 1e4)) {
            const { id } = self.sendBuffer[opts.bufferPolicy == "newest" ? "pop" : "shift"]();
            dropped++;
            if (acks[id]) acks[id](Error("dropped"));
            if (true) warn("buffer", "events are dropped because too many wait for the connection (bufferLimit)");
          }
        }
        return self;
      },
      stats: () => ({ ...io2.b, latency, buffered: self.sendBuffer.length + queue.length, dropped }),
      async P() {
        const { engine } = io2;
        const { auth } = self;
        if (asked == engine) return;
        asked = engine;
        let data;
        let error;
        try {
          data = await (typeof auth == "function" ? auth.length ? new Promise(auth) : auth() : auth);
        } catch (err) {
          error = err;
        }
        if (asked == engine && engine == io2.engine) {
          if (error) refused(error);
          else send(CONNECT, pid ? { pid, offset, ...data } : data);
        }
      },
      U({ type, data, id }) {
        const args = data || [];
        if (type == CONNECT) {
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
        } else if (type == EVENT) {
          if (id != null) {
            args.push((...answer) => {
              if (id != null) send(ACK, answer, id);
              id = void 0;
            });
          }
          if (self.connected) deliver(args);
          else self.receiveBuffer.push(args);
        } else if (type == ACK) {
          if (acks[id]) acks[id](null, args);
        } else if (type == DISCONNECT) leave("io server disconnect");
        else refused(Object.assign(Error(args.message || data), { data: args.data }));
      },
      S(reason, details) {
        asked = 0;
        self.connected = false;
        self.id = void 0;
        self.e("disconnect", reason, details);
        for (const id of Object.keys(acks)) {
          if (!self.sendBuffer.some((packet) => packet.id == id)) acks[id](Error("socket has been disconnected"));
        }
      }
    });
    self.open = self.connect;
    self.close = self.disconnect;
  }
  /** Makes the next event one that is dropped if it cannot leave at once. */
  get volatile() {
    this.o.volatile = true;
    return this;
  }
  get disconnected() {
    return !this.connected;
  }
  /** Limits the time for the answer to the next event, in milliseconds. */
  timeout(ms) {
    this.o.timeout = ms;
    return this;
  }
  /** Lets a signal end the wait for the answer to the next event. */
  signal(signal) {
    this.o.signal = signal;
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
      const ack = (error, value) => error ? reject(error) : resolve(value);
      ack.D = true;
      this.emit(event, ...[...args, ack]);
    });
  }
};
for (const [name, key] of [["Any", /* @__KEY__ */ "A"], ["AnyOutgoing", /* @__KEY__ */ "O"]]) {
  Object.assign(Socket.prototype, {
    ["on" + name](listener) {
      this[key] = [...this[key], listener];
      return this;
    },
    ["prepend" + name](listener) {
      this[key] = [listener, ...this[key]];
      return this;
    },
    ["off" + name](listener) {
      const at = this[key].indexOf(listener);
      this[key] = this[key].filter((_, i) => listener && i != at);
      return this;
    },
    ["listeners" + name]() {
      return this[key];
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
var pageEvents = ["online", "offline", "visibilitychange", "pageshow", "resume", "beforeunload"];
var lengthOf = (packet) => {
  const { data = "" } = packet;
  return data.length ?? data.byteLength ?? data.size;
};
var Manager = class extends Emitter {
  constructor(uri, opts) {
    super();
    this.uri = uri;
    const self = this;
    const o = self.opts = { path: "/socket.io", ...opts };
    for (const name in defaults) o[name] ??= defaults[name];
    const codec = o.parser || env.I;
    const encoder = new codec.Encoder();
    const decoder = new codec.Decoder();
    let attempts = 0;
    let timer;
    let retry;
    let woke = 0;
    const each = (fn) => {
      for (const socket of Object.values(self.nsps)) if (socket.active) fn(socket);
    };
    const onPage = ({ type, persisted }) => {
      const { engine } = self;
      if (type == "beforeunload") {
        if (o.closeOnBeforeunload) {
          engine.off();
          engine.transport.r(true);
        }
      } else if (type == "offline") {
        if (!/^(localhost|127\.|\[::1)/.test(parse(uri)[1])) engine.n("transport close", { description: "network connection lost" });
      } else if (persisted != false && !(type == "visibilitychange" && document.hidden)) {
        woke = Date.now();
        if (retry) retry();
        else engine.N();
      }
    };
    const watchPage = (verb) => {
      if (scope[verb]) for (const event of pageEvents) scope[verb](event, onPage, true);
    };
    const failed = (error) => {
      if (true) explain(error);
      self.e("error", error);
      each((socket) => socket.connected || socket.e("connect_error", error));
    };
    const ended = () => {
      clearTimeout(timer);
      self.s = "closed";
      watchPage("removeEventListener");
      decoder.destroy();
      self.engine.close();
    };
    const closed = (reason, details) => {
      ended();
      attempts = 0;
      self.e("close", reason, details);
      each((socket) => socket.S(reason, details));
      reconnect();
    };
    const reconnect = () => {
      if (!o.reconnection || self.h || self.l || self.s != "closed") return;
      if (attempts >= (o.reconnectionAttempts || Infinity)) {
        attempts = 0;
        self.e("reconnect_failed");
        return;
      }
      self.h = true;
      watchPage("addEventListener");
      retry = () => {
        clearTimeout(timer);
        retry = void 0;
        attempts++;
        if (!self.l) self.e("reconnect_attempt", attempts);
        if (!self.l) {
          self.open((error) => {
            self.h = false;
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
      const asleep = !attempts && Date.now() - woke < 5e3;
      timer = later(
        retry,
        asleep ? 0 : Math.min((o.reconnectionDelay || 1e3) * 2 ** attempts, (o.reconnectionDelayMax || 5e3) / (1 + jitter)) * (1 + jitter * (2 * Math.random() - 1)),
        o.autoUnref
      );
    };
    decoder.on(
      "decoded",
      (packet) => soon(() => {
        self.e("packet", packet);
        const socket = self.nsps[packet.nsp];
        if (socket && socket.active) socket.U(packet);
      })
    );
    Object.assign(self, {
      nsps: {},
      s: "closed",
      b: { connects: 0, bytesIn: 0, bytesOut: 0 },
      open(done) {
        if (self.s != "closed") return self;
        self.s = "opening";
        self.l = false;
        watchPage("addEventListener");
        const fail = (error) => {
          ended();
          failed(error);
          if (done) done(error);
          else if (!attempts) reconnect();
        };
        const engine = self.engine = connect(uri, o, (event, a, b) => {
          const opening = self.s == "opening";
          if (engine != self.engine || self.s == "closed") return;
          if (event == "packet") self.b.bytesIn += lengthOf(a);
          if (event == "packetCreate") self.b.bytesOut += lengthOf(a);
          if (event == "open") {
            clearTimeout(timer);
            self.b.connects++;
            self.s = event;
            self.e(event);
            each((socket) => socket.P());
            if (done) done();
          } else if (event == "message") {
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
        if (o.timeout !== false) timer = later(() => fail(Error("timeout")), o.timeout, o.autoUnref);
        return self;
      },
      socket(nsp, opts2) {
        const socket = self.nsps[nsp] ||= new Socket(self, nsp, opts2);
        if (o.autoConnect && !socket.active) socket.connect();
        return socket;
      },
      C() {
        if (!Object.values(self.nsps).some((socket) => socket.active)) {
          self.l = true;
          self.h = false;
          retry = void 0;
          if (self.engine) closed("forced close");
        }
      },
      a(packet) {
        const messages = encoder.encode(packet);
        const max = self.engine.v;
        for (const message of messages) {
          if (!(message.length * 3 < max) && sizeOf(message) >= max) {
            throw Error(`payload too large: ${sizeOf(message)} bytes, maxPayload is ${max}`);
          }
        }
        messages.map(self.engine.write);
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
    this.l ||= !this.opts.reconnection;
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
env.f.websocket = websocket;
env.I = json;

// src/engine/webtransport.ts
var bytesOf = async (data) => ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(await new Response(data).arrayBuffer());
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
  i(engine, host, opts) {
    let closed = false;
    let writer;
    let session;
    const end = (details) => {
      if (!closed) self.t.n(details);
      closed = true;
    };
    const fail = (error) => end(transportError("webtransport error", error));
    const self = {
      name: "webtransport",
      writable: false,
      t: host,
      a(packets) {
        self.writable = false;
        void (async () => {
          try {
            for (const packet of packets) await writer.write(await frame(packet));
            if (closed) return;
            soon(() => {
              self.writable = true;
              self.t.m();
            });
          } catch (error) {
            fail(error);
          }
        })();
      },
      r() {
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
        session = new WebTransport(engine.u("webtransport", "http", opts).replace(/^https?/, "https"), transportOptions && transportOptions.webtransport);
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
        self.t.E?.();
      } catch (error) {
        fail(error);
      }
    })();
    return self;
  }
};

// src/index.ts
env.f.polling = polling;
env.i = start;

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
  const request = url.startsWith("https:") ? import_node_https.request : import_node_http.request;
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
  ws = (0, import_node_module.createRequire)(typeof __filename == "string" ? __filename : "")("ws");
} catch {
}
var inNode = (kind) => ({
  name: kind.name,
  i(engine, host, opts) {
    let jar = jars.get(engine);
    if (opts.withCredentials && !jar) jars.set(engine, jar = new Jar());
    return kind.i(engine, host, {
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
env.f = { websocket: nodeWebSocket, polling: nodePolling };
// Annotate the CommonJS export names for ESM import in node:
0 && (module.exports = {
  Fetch,
  Manager,
  NodeWebSocket,
  NodeXHR,
  Socket,
  WebSocket,
  WebTransport,
  XHR,
  connect,
  events,
  io,
  protocol
});
//# sourceMappingURL=node.cjs.map
