/*! Sockeye, a Socket.IO client. MIT licence. */

// src/binary.ts
var isBinary = (value) => ArrayBuffer.isView(value) || /(Buffer|Blob|File)]$/.test({}.toString.call(value));
var lengthOf = (data) => data.byteLength ?? data.size ?? data.length;
var sizeOf = (data) => lengthOf(typeof data == "string" ? new TextEncoder().encode(data) : data);
var viewOf = (data) => new Uint8Array(data.buffer || data, data.byteOffset, data.byteLength);
var bytesOf = async (data) => viewOf(data.size != null ? await data.arrayBuffer() : data);
function check(message, max) {
  const size = sizeOf(message);
  if (size >= max) throw Error(`payload too large: ${size} > ${max}`);
}

// src/engine/packet.ts
var packetTypes = ["open", "close", "ping", "pong", "message", "upgrade", "noop"];
var encode = ({ type, data = "" }) => typeof data == "string" ? packetTypes.indexOf(type) + data : data;
function decode(data) {
  if (typeof data != "string") return { type: "message", data };
  const type = packetTypes[data[0]];
  return type && { type, data: data.slice(1) };
}

// src/engine/base64.ts
async function encodeBase64(packet) {
  const message = encode(packet);
  return typeof message == "string" ? message : "b" + btoa(Array.from(await bytesOf(message), (byte) => String.fromCharCode(byte)).join(""));
}
function decodeBase64(text) {
  try {
    return decode(text[0] == "b" ? Uint8Array.from(atob(text.slice(1)), (c) => c.charCodeAt(0)).buffer : text);
  } catch (_) {
  }
}

// src/engine/transport.ts
var transportError = (message, description, context) => Object.assign(Error(message), { type: "TransportError", description, context });

// src/engine/polling.ts
var polling = {
  name: "polling",
  e(engine, host, opts) {
    const aborter = new AbortController();
    let paused;
    let waiting = false;
    const end = (details) => {
      hangUp();
      self.e?.n(details);
    };
    const hangUp = () => aborter.abort();
    const request = async (what, body) => {
      let context;
      const timer = opts.requestTimeout && setTimeout(hangUp, opts.requestTimeout, engine);
      try {
        context = await (opts.fetch || fetch)(engine.c("polling", "http", opts), {
          method: body && "POST",
          body,
          // The last word of a page that is being left.
          keepalive: body == "1",
          credentials: opts.withCredentials ? "include" : void 0,
          headers: opts.extraHeaders,
          signal: aborter.signal
        });
        if (context.status == 200) return await context.text();
      } catch (err) {
        context = err;
      } finally {
        clearTimeout(timer);
      }
      end(transportError(`xhr ${what} error`, context.status ?? 0, context));
    };
    const poll = async () => {
      waiting = true;
      const text = await request("poll");
      waiting = false;
      for (const part of text?.split("") || []) {
        if (!self.e) return;
        const packet = decodeBase64(part);
        if (packet && packet.type != "close") self.e.i(packet);
        else end(packet ? { description: "transport closed by the server" } : transportError("parser error"));
      }
      next();
    };
    const next = () => {
      if (!self.e || waiting) return;
      if (!paused) void poll();
      else if (self.writable) paused();
    };
    const self = {
      name: "polling",
      writable: true,
      e: host,
      async r(packets) {
        const parts = [];
        let size = 0;
        self.writable = false;
        for (const packet of packets) {
          const part = await encodeBase64(packet);
          size += sizeOf(part) + 1;
          if (parts[0] && size > engine.r.maxPayload) break;
          parts.push(part);
        }
        if (self.e) await request("post", parts.join(""));
        if (self.e) {
          self.writable = true;
          self.e.o(parts.length);
          next();
        }
      },
      t() {
        if (engine.id && !aborter.signal.aborted) {
          void request("post", "1").then(hangUp);
          setTimeout(hangUp, 5e3, engine);
        } else hangUp();
        self.e = void 0;
      },
      n(done) {
        paused = done;
        next();
      }
    };
    void poll();
    return self;
  }
};

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
  /** The lists are replaced, never changed: an emission goes on with the one it began with. */
  u = /* @__PURE__ */ new Map();
  /** Calls the listener at each `event`. */
  on(event, listener) {
    this.u.set(event, [...this.listeners(event), listener]);
    if (true) {
      const all = this.listeners(event);
      const times = all.filter((fn) => fn == listener).length;
      if (times > 1) warn("twice", `the same listener is registered ${times} times for "${event}"`);
      else if (all.length == 11) warn("many", `more than ten listeners are registered for "${event}"`);
    }
    return this;
  }
  /** Calls the listener at the next `event` only. */
  once(event, listener) {
    const wrapper = (...args) => {
      this.off(event, wrapper);
      listener.apply(this, args);
    };
    wrapper.e = listener;
    return this.on(event, wrapper);
  }
  /** Removes one listener, all listeners of an event, or all listeners. */
  off(event, listener) {
    let found;
    if (event == null) this.u.clear();
    else this.u.set(event, this.listeners(event).filter((fn) => listener && (found || !(found = fn == listener || fn.e == listener))));
    return this;
  }
  /** Calls the listeners of `event`; what emit does unless it sends. @internal */
  e(event, ...args) {
    this.l?.(event, ...args);
    for (const fn of this.listeners(event)) fn.apply(this, args);
    return this;
  }
  /** Calls the listener at each `event`, before those there are. @internal */
  prepend(event, listener) {
    this.u.set(event, [listener, ...this.listeners(event)]);
    return this;
  }
  /** The listeners of `event`. */
  listeners(event) {
    return this.u.get(event) || [];
  }
  /** Whether anyone listens to `event`. */
  hasListeners(event) {
    return !!this.listeners(event)[0];
  }
};
var proto = Emitter.prototype;
proto.emit = proto.e;
proto.addEventListener = proto.on;
proto.removeListener = proto.removeEventListener = proto.removeAllListeners = proto.off;

// src/engine/websocket.ts
var websocket = {
  name: "websocket",
  e(engine, host, opts) {
    let ws;
    const fail = (event) => self.e?.n(transportError("websocket error", event));
    const self = {
      name: "websocket",
      writable: true,
      e: host,
      r(packets) {
        self.writable = false;
        for (const packet of packets) ws.send(encode(packet));
        queueMicrotask(() => {
          self.writable = true;
          self.e?.o(packets.length);
        });
      },
      t() {
        self.e = void 0;
        ws?.close();
      }
    };
    try {
      ws = new (opts.WebSocket || WebSocket)(engine.c("websocket", "ws", opts), opts.protocols || [], {
        headers: opts.extraHeaders
      });
      ws.binaryType = "arraybuffer";
      if (true) ws.onopen = () => self.e?.r?.();
      ws.onmessage = ({ data }) => {
        const packet = decode(data);
        if (packet) self.e?.i(packet);
        else self.e?.n(transportError("parser error"));
      };
      ws.onerror = fail;
      ws.onclose = (context) => self.e?.n({ description: "websocket connection closed", context });
    } catch (err) {
      queueMicrotask(() => fail(err));
    }
    return self;
  }
};

// src/parser.ts
var protocol = 5;
var reserved = /^(connect(_error)?|disconnect(ing)?|(new|remove)Listener)$/;
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
        const bytes = this[key];
        return isBinary(bytes) ? { ["_placeholder"]: true, num: attachments.push(bytes) - 1 } : value;
      }
    );
    return [(attachments[0] ? type + 3 /* Binary */ + (attachments.length + "-") : type) + (nsp == "/" ? "" : nsp + ",") + (id ?? "") + (json2 ?? ""), ...attachments];
  }
};
var whyNot = (text) => /^[56]0*[1-9]\d*-/.test(text) ? "too many attachments" : /^[56]/.test(text) ? "Illegal attachments" : "unknown packet type " + parseInt(text[0]);
var Decoder = class {
  on(_, listener) {
    this.e = listener;
  }
  /** Takes the next message; throws if it breaks the protocol. */
  add(message) {
    const { t: attach } = this;
    if (typeof message == "string" == !!attach) {
      bad(attach ? "got plaintext data when reconstructing a packet" : "got binary data when not reconstructing a packet");
    }
    if (attach) return attach(message);
    const [, kind, binary, count, nsp = "/", id, json2] = /^(?:([0-4])|([56])(0*[1-9]|0*10)-)(?:(\/[^,]*),?)?(\d*)([^]*)/.exec(message) || bad(whyNot(message));
    const packet = { type: +(kind || +binary - 3 /* Binary */), nsp };
    if (id) packet.id = +id;
    if (json2) {
      packet.data = JSON.parse(json2);
      if (!valid(packet)) bad("invalid payload");
    }
    if (binary) {
      const attachments = [];
      this.t = (bytes) => {
        if (attachments.push(false ? given(bytes) : bytes) < +count) return;
        if (json2) packet.data = JSON.parse(json2, (_, value) => value?.["_placeholder"] === true ? typeof value.num == "number" && attachments[value.num] || bad("illegal attachments") : value);
        this.t = void 0;
        this.e(packet);
      };
    } else this.e(packet);
  }
  /** Forgets a packet of which only a part has arrived. */
  destroy() {
    this.t = void 0;
  }
};
var json = { Encoder, Decoder };

// src/parts.ts
var kinds = false ? { websocket } : { websocket, polling };
var codec = false ? msgpack : json;

// src/url.ts
function parse(uri = "") {
  const page2 = globalThis.location || {};
  const [, scheme = page2.protocol || "s:", at, path, query] = /^(?:(\w+:)?\/\/(?:[^/?#]*@)?)?([^/?#]*)([^?#]*)\??([^#]*)/.exec(uri);
  const secure = /s:$/i.test(scheme) ? "s" : "";
  const host = (at || page2.host || "").replace(secure ? /:443$/ : /:80$/, "");
  if (!host) throw Error(true ? 'io(): without a page to take it from, the address must name a host, as in io("https://example.org")' : "no host");
  return [secure, host, path || "/", query];
}

// src/engine/several.ts
var good;
function start(engine, kinds2, refused) {
  const { rememberUpgrade, tryAllTransports, upgrade: mayUpgrade } = engine.opts;
  const [kind, next] = rememberUpgrade && kinds2.includes(good) ? [good] : kinds2;
  const polls = kind.name == "polling";
  const more = next && (tryAllTransports ?? !polls);
  let timer;
  const transport = engine.transport = engine.f(kind, {
    i(packet) {
      clearTimeout(timer);
      if (refused) {
        engine.id = JSON.parse(packet.data).sid;
        return engine.n(refused);
      }
      transport.e = engine;
      if (!polls) good = kind;
      engine.i(packet);
      if (polls && mayUpgrade != false && engine.readyState == "open") {
        for (const kind2 of kinds2) if (engine.r.upgrades.includes(kind2.name)) upgrade(engine, kind2);
      }
    },
    n(details) {
      clearTimeout(timer);
      transport.t();
      good = void 0;
      if (refused && details.description > 400) refused.description = details.description;
      if (more) start(engine, kinds2.slice(1));
      else if (polls) engine.n(refused || details);
      else start(engine, [kinds.polling], details);
    }
  });
  if (more) {
    timer = setTimeout(() => transport.e?.n(Error("timeout")), 5e3, engine);
  }
}
function upgrade(engine, kind) {
  const old = engine.transport;
  let next;
  let paused;
  let over;
  const fail = (cause) => {
    if (over) return;
    over = 1;
    next?.t();
    if (paused) {
      engine.upgrading = false;
      old.n();
    }
    engine.e("upgradeError", Object.assign(Error("probe error"), { transport: kind.name, cause }));
    engine.s();
  };
  const probe = () => {
    if (over) return;
    next = engine.f(kind, {
      r: () => next.r([{ type: "ping", data: "probe" }]),
      i({ type, data }) {
        if (type + data != "pongprobe" || engine.upgrading) return fail(type);
        engine.upgrading = true;
        paused = 1;
        engine.e("upgrading", next);
        old.n(() => {
          over = 1;
          engine.writeBuffer.unshift({ type: "upgrade" });
          next.e = engine;
          engine.transport = next;
          engine.upgrading = false;
          good = kind;
          engine.e("upgrade", next);
          engine.s();
        });
      },
      o() {
      },
      n: fail
    });
  };
  engine.once("close", fail);
  engine.once("upgrade", fail);
  if (kind.name == "websocket" && engine.r.upgrades[1]) setTimeout(probe, 200, engine);
  else probe();
}

// src/engine/engine.ts
var Engine = class extends Emitter {
  readyState = "opening";
  /** What has not left yet; its first entries may be on their way. */
  writeBuffer = [];
  /** @param _owner hears of every event before the listeners do. */
  constructor(_uri, opts, _owner) {
    super();
    Object.assign(this, { d: _uri, opts, l: _owner });
    const { transports } = opts;
    const usable = (transports || Object.keys(kinds)).map((want) => kinds[want] || want).filter((kind) => kind.e);
    if (usable[0]) {
      if (false) this.transport = this.f(usable[0], this);
      else start(this, usable);
    } else queueMicrotask(() => this.e("error", "No transports available"));
  }
  /** Sends a message. */
  write(data) {
    return this.v("message", data);
  }
  /** The same as write. */
  send(data) {
    return this.write(data);
  }
  /** Closes the connection after what waits has left. */
  close() {
    if (this.readyState > "o") {
      this.readyState = "closing";
      const finish = () => this.t("forced close");
      if (this.writeBuffer[0]) this.once("drain", finish);
      else finish();
    }
    return this;
  }
  /** @internal */
  v(type, data) {
    if (this.readyState > "o") {
      const packet = { type, data };
      this.e("packetCreate", packet);
      this.writeBuffer.push(packet);
      this.s();
    }
    return this;
  }
  /** @internal */
  c(name, scheme, { path, addTrailingSlash, query, timestampRequests, timestampParam = "t" }) {
    const [secure, host, , ownQuery] = parse(this.d);
    const own = ownQuery || new URLSearchParams(query) + "";
    return scheme + secure + "://" + host + path.replace(/\/?$/, addTrailingSlash == false ? "?" : "/?") + (own && own + "&") + "EIO=4&transport=" + name + (timestampRequests ?? name == "polling" ? "&" + timestampParam + "=" + Math.random() : "") + (this.id ? "&sid=" + this.id : "");
  }
  /** @internal */
  f(kind, host) {
    return kind.e(this, host, { ...this.opts, ...this.opts.transportOptions?.[kind.name] });
  }
  /** @internal */
  s() {
    if (this.id && !this.upgrading && this.transport.writable && this.writeBuffer[0]) this.transport.r(this.writeBuffer.slice());
  }
  /**
   * Whether the server has been silent for too long: a timer that a browser
   * held back could not say so. Ends the connection in that case. @internal
   */
  m() {
    const late = Date.now() > this.h;
    if (late) this.a(-1);
    return late;
  }
  /** Waits so many milliseconds for a ping. @internal */
  a(ms = this.r.pingInterval + this.r.pingTimeout) {
    this.h = Date.now() + ms;
    clearTimeout(this.p);
    this.p = setTimeout(() => this.t("ping timeout"), ms, this);
  }
  /** @internal */
  i(packet) {
    const { type, data } = packet;
    this.e("packet", packet);
    if (type == "open") {
      this.r = JSON.parse(data);
      this.id = this.r.sid;
      if (this.readyState == "opening") {
        this.readyState = "open";
        this.a();
        this.e(type);
        this.s();
      }
    } else if (type == "ping") {
      this.v("pong");
      this.a();
      this.e(type);
    } else if (type == "message") this.e(type, data);
  }
  /** @internal */
  o(count) {
    this.writeBuffer.splice(0, count);
    if (this.writeBuffer[0]) this.s();
    else this.e("drain");
  }
  /** @internal */
  n(details) {
    this.t("transport " + (details instanceof Error ? "error" : "close"), details);
  }
  /** @internal */
  t(reason, details) {
    if (this.readyState != "closed") {
      clearTimeout(this.p);
      this.readyState = "closed";
      if (details instanceof Error) this.e("error", details);
      this.transport?.t();
      this.id = void 0;
      this.e("close", reason, details);
      this.writeBuffer = [];
    }
  }
};

// src/page.ts
var watch = (manager) => {
  let woke = 0;
  const onPage = ({ type, persisted }) => {
    const { engine, opts, uri, n: _retry } = manager;
    if (type == "beforeunload") {
      if (opts.closeOnBeforeunload) engine.transport.t();
    } else if (type == "offline") {
      if (!/^(localhost|127|\[::1)/.test(parse(uri)[1])) engine.t("transport close", { description: "network connection lost" });
    } else if (persisted != false && !(type == "visibilitychange" && document.hidden)) {
      woke = Date.now();
      if (_retry) _retry();
      else if (engine.id) {
        engine.v("noop");
        const left = engine.h - Date.now();
        if (left < engine.r.pingTimeout) engine.a(Math.min(left, 3e3));
      }
    }
  };
  return (on) => {
    for (const event of ["online", "offline", "visibilitychange", "pageshow", "resume", "beforeunload"]) globalThis[on ? "addEventListener" : "removeEventListener"]?.(event, onPage, true);
    if (on && manager.n && Date.now() - woke < 5e3) {
      woke = 0;
      queueMicrotask(manager.n);
    }
  };
};

// src/socket.ts
var Socket = class extends Emitter {
  constructor(io2, nsp, opts = {}) {
    super();
    const self = this;
    const acks = {};
    const queue = [];
    let busy;
    let ids = 0;
    let dropped = 0;
    let latency;
    let asked;
    let pid;
    let offset;
    const send = (type, data, id) => io2.r({ type, nsp, data, id });
    const dispatch = (packet) => {
      catchAll("AnyOutgoing", packet.data);
      try {
        io2.r(packet);
      } catch (error) {
        const settle = acks[packet.id];
        if (!settle) throw error;
        settle(error);
      }
    };
    const drain = () => {
      if (self.connected && !busy && queue[0]) {
        busy = 1;
        queue[0]();
      }
    };
    const post = (data, flags, ack) => {
      const { timeout = opts.ackTimeout, signal, volatile } = flags;
      const packet = { type: 2 /* Event */, nsp, data };
      if (ack) {
        const id = packet.id = ids++;
        const began = Date.now();
        const settle = acks[id] = (error, ...args) => {
          delete acks[id];
          clearTimeout(timer);
          signal?.removeEventListener("abort", abort);
          self.sendBuffer = self.sendBuffer.filter((other) => other != packet);
          if (!error) latency = Date.now() - began;
          if ((flags.e ?? timeout ?? signal) != null) ack.call(self, error, ...args);
          else if (!error) ack.apply(self, args);
        };
        const abort = () => settle(signal.reason || Error("abort"));
        const timer = timeout != null && setTimeout(() => settle(Error("operation has timed out")), timeout, io2);
        if (signal?.aborted) return abort();
        signal?.addEventListener("abort", abort);
      }
      const { engine } = io2;
      if (!volatile || engine?.id && engine.transport.writable) {
        if (self.connected && !engine.m()) dispatch(packet);
        else if (self.sendBuffer.push(packet) > (opts.bufferLimit ?? 1e4)) {
          dropped++;
          acks[self.sendBuffer[opts.bufferPolicy == "newest" ? "pop" : "shift"]().id]?.(Error("dropped"));
          if (true) warn("buffer", "events are dropped because too many wait for the connection (bufferLimit)");
        }
      }
    };
    const catchAll = (name, args) => {
      for (const listener of self.s.listeners(name)) listener.apply(self, args);
    };
    const deliver = (args) => {
      catchAll("Any", args);
      self.e(...args);
      const last = args[args.length - 1];
      if (pid && typeof last == "string") offset = last;
    };
    const leave = (reason = "io server disconnect") => {
      self.active = false;
      asked = 0;
      io2.t();
      if (self.connected) self.t(reason);
    };
    const refused = (error) => {
      if (true) explain(error);
      leave();
      self.e("connect_error", error);
    };
    Object.assign(self, {
      io: io2,
      nsp,
      connected: false,
      recovered: false,
      active: false,
      auth: opts.auth,
      receiveBuffer: [],
      sendBuffer: [],
      acks,
      n: {},
      s: new Emitter(),
      connect() {
        if (!self.connected) {
          self.active = true;
          if (!io2.n) io2.open();
          if (io2.i?.id) void self.r();
        }
        return self;
      },
      disconnect() {
        if (self.connected) send(1 /* Disconnect */);
        leave("io client disconnect");
        return self;
      },
      emit(event, ...args) {
        const { n: flags } = self;
        const data = [event, ...args];
        const ack = typeof data[args.length] == "function" && data.pop();
        self.n = {};
        if (reserved.test(event)) throw Error(`"${event}" is a reserved event name`);
        if (!opts.retries || flags.volatile) post(data, flags, ack);
        else {
          let tried = 0;
          const attempt = () => {
            tried++;
            post(data, { ...flags, e: true }, (error, ...values) => {
              if (!error || tried > opts.retries) {
                queue.shift();
                if (ack) ack(error, ...values);
              }
              busy = 0;
              drain();
            });
          };
          queue.push(attempt);
          drain();
        }
        return self;
      },
      stats: () => ({ ...io2.s, latency, buffered: self.sendBuffer.length + queue.length, dropped }),
      async r() {
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
      i({ type, data, id }) {
        const args = data || [];
        const { sid, pid: given2 } = args;
        if (type == 0 /* Connect */ && sid) {
          self.id = sid;
          self.recovered = !!given2 && pid == given2;
          pid = given2;
          self.connected = true;
          self.receiveBuffer.splice(0).map(deliver);
          self.sendBuffer.splice(0).map(async (packet) => dispatch(packet));
          drain();
          self.e("connect");
        } else if (type == 2 /* Event */) {
          if (id != null) {
            args.push((...answer) => {
              if (id != null) id = send(3 /* Ack */, answer, id);
            });
          }
          if (self.connected) deliver(args);
          else self.receiveBuffer.push(args);
        } else if (type == 3 /* Ack */) {
          acks[id]?.(null, ...args);
        } else if (type == 1 /* Disconnect */) leave();
        else refused(Object.assign(Error(args.message || data || (true ? "the server speaks version 2 of Socket.IO, which this client does not" : "version 2")), { data: args.data }));
      },
      t(reason, details) {
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
    this.n.volatile = true;
    return this;
  }
  get disconnected() {
    return !this.connected;
  }
  /** Limits the time for the answer to the next event, in milliseconds. */
  timeout(ms) {
    this.n.timeout = ms;
    return this;
  }
  /** Lets a signal end the wait for the answer to the next event. */
  signal(signal) {
    this.n.signal = signal;
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
      this.n.e = true;
      const ack = (error, value) => error ? reject(error) : resolve(value);
      this.emit(event, ...[...args, ack]);
    });
  }
};
for (const name of ["Any", "AnyOutgoing"]) {
  for (const verb of ["on", "off", "listeners", "prepend"]) {
    Socket.prototype[verb + name] = function(listener) {
      const result = this.s[verb](name, listener);
      return result == this.s ? this : result;
    };
  }
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
    const self = this;
    const o = self.opts = { path: "/socket.io", ...opts };
    for (const name in defaults) o[name] ??= defaults[name];
    const { Encoder: Encoder2, Decoder: Decoder2 } = o.parser || codec;
    const encoder = new Encoder2();
    const decoder = new Decoder2();
    const look = false ? void 0 : watch(self);
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
      self.n = self.i = void 0;
      if (true) look();
      decoder.destroy();
      self.engine.close();
    };
    const closed = (reason, details) => {
      ended();
      attempts = 0;
      self.e("close", reason, details);
      each((socket) => socket.t(reason, details));
      reconnect();
    };
    const reconnect = () => {
      if (!o.reconnection || released || self.i) return;
      if (attempts >= (o.reconnectionAttempts || Infinity)) {
        attempts = 0;
        return self.e("reconnect_failed");
      }
      const retry = self.n = () => {
        if (self.n && self.e("reconnect_attempt", ++attempts).n) self.open();
      };
      const jitter = o.randomizationFactor;
      timer = setTimeout(
        retry,
        Math.min((o.reconnectionDelay || 1e3) * 2 ** attempts, (o.reconnectionDelayMax || 5e3) / (1 + jitter)) * (1 - jitter + 2 * jitter * Math.random()),
        self
      );
      if (true) look(true);
    };
    decoder.on(
      "decoded",
      (packet) => queueMicrotask(() => {
        self.e("packet", packet);
        const socket = self.nsps[packet.nsp];
        if (socket?.active) socket.i(packet);
      })
    );
    Object.assign(self, {
      uri,
      nsps: {},
      s: { connects: 0, bytesIn: 0, bytesOut: 0 },
      open(done) {
        if (self.i) return self;
        clearTimeout(timer);
        self.n = released = void 0;
        let opening = true;
        if (true) look(true);
        const fail = (error) => {
          const tried = attempts;
          ended();
          failed(error);
          if (done) done(error);
          else {
            reconnect();
            if (tried) self.e("reconnect_error", error);
          }
        };
        const engine = self.i = self.engine = new Engine(uri, o, (event, a, b) => {
          if (engine != self.i) return;
          if (event == "open") {
            clearTimeout(timer);
            opening = false;
            self.s.connects++;
            self.e(event);
            each((socket) => socket.r());
            if (done) done();
            if (attempts) self.e("reconnect", attempts);
            attempts = 0;
          } else if (event == "message") {
            self.s.bytesIn += lengthOf(a);
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
        if (o.timeout !== false) timer = setTimeout(() => fail(Error("timeout")), o.timeout, self);
        return self;
      },
      socket(nsp, opts2) {
        const socket = self.nsps[nsp] ||= new Socket(self, nsp, opts2);
        if (o.autoConnect && !socket.active) socket.connect();
        return socket;
      },
      t() {
        released = true;
        each(() => released = void 0);
        if (released && self.engine) closed("forced close");
      },
      r(packet) {
        const messages = encoder.encode(packet);
        if (true) for (const message of messages) check(message, self.engine.r.maxPayload);
        for (const message of messages) {
          self.s.bytesOut += lengthOf(message);
          self.engine.write(message);
        }
      }
    });
    self.connect = self.open;
    if (o.autoConnect) self.open();
  }
};
for (const name in defaults) {
  Manager.prototype[name] = function(value) {
    if (value == null) return this.opts[name];
    this.opts[name] = value;
    if (!this.opts.reconnection) this.n = void 0;
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
  return (options.forceNew || options["force new connection"] || options.multiplex === false || cache[id]?.nsps[path] ? new Manager(uri, options) : cache[id] ||= new Manager(uri, options)).socket(path, options);
}
var io = Object.assign(lookup, { Manager, Socket, io: lookup, connect: lookup });

// src/batches.ts
function batches(socket, name = "batch") {
  return socket.on(name, (items) => {
    if (!Array.isArray(items)) return;
    for (const item of items) {
      const { event, data, args = [data] } = item || {};
      if (typeof event != "string" || reserved.test(event)) continue;
      const all = [event].concat(args);
      for (const listener of socket.listenersAny()) listener(...all);
      socket.e(...all);
    }
  });
}

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
  e(engine, host, opts) {
    let writer;
    let session;
    const end = (details) => {
      const { e: _host } = self;
      self.e = void 0;
      _host?.n(details);
    };
    const fail = (error) => end(transportError("webtransport error", error));
    const self = {
      name: "webtransport",
      writable: false,
      e: host,
      r(packets) {
        self.writable = false;
        void (async () => {
          try {
            for (const packet of packets) await writer.write(await frame(packet));
            queueMicrotask(() => {
              self.writable = true;
              self.e?.o(packets.length);
            });
          } catch (error) {
            fail(error);
          }
        })();
      },
      t() {
        self.e = void 0;
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
        if (!first || !self.e) break;
        let size = first[0] & 127;
        if (size > 125) {
          const rest = await need(size == 126 ? 2 : 8);
          if (!rest) break;
          const view = new DataView(rest.buffer);
          size = rest.length == 2 ? view.getUint16(0) : Number(view.getBigUint64(0));
        }
        if (!size || !Number.isSafeInteger(size)) throw Error("parser error");
        const body = await need(size);
        if (!body || !self.e) break;
        const packet = first[0] & 128 ? { type: "message", data: body.buffer } : decode(new TextDecoder().decode(body));
        if (!packet) throw Error("parser error");
        self.e.i(packet);
      }
      end({ description: "transport closed by the server" });
    }
    void (async () => {
      try {
        const { transportOptions } = engine.opts;
        session = new WebTransport(engine.c("webtransport", "http", opts).replace(/^https?/, "https"), transportOptions && transportOptions.webtransport);
        session.closed.then(() => end({ description: "transport closed gracefully" }), fail);
        await session.ready;
        if (!self.e) return;
        const stream = await session.createBidirectionalStream();
        writer = stream.writable.getWriter();
        void read(stream.readable).catch(fail);
        const sid = engine.id;
        await writer.write(await frame({ type: "open", data: sid && JSON.stringify({ sid }) }));
        if (!self.e) return;
        self.writable = true;
        self.e.r?.();
      } catch (error) {
        fail(error);
      }
    })();
    return self;
  }
};
export {
  polling as Fetch,
  Manager,
  websocket as NodeWebSocket,
  polling as NodeXHR,
  Socket,
  websocket as WebSocket,
  webtransport as WebTransport,
  polling as XHR,
  batches,
  io as connect,
  io as default,
  events,
  io,
  protocol
};
//# sourceMappingURL=index.dev.js.map
