// What the tests of square_test.go have the page do.
let s;
let back;
window.errors = [];

const once = (emitter, event) => new Promise((resolve) => emitter.once(event, (...args) => resolve(args)));

/** Connects, and resolves with the transport in the end. */
window.start = async (client, options) => {
  const { io } = await import(`/${client}.js`);
  s = io({ reconnectionDelay: 50, reconnectionDelayMax: 200, ...options });
  s.on("connect_error", (err) => errors.push(err.message));
  await once(s, "connect");
  const { engine } = s.io;
  if (options.transports?.length > 1 && engine.transport.name === "polling") await once(engine, "upgrade");
  return engine.transport.name;
};

const same = (a, b) => {
  const [x, y] = [JSON.stringify(a), JSON.stringify(b)];
  if (x !== y) throw new Error(`${x} is not ${y}`);
};
const bytes = (b) => [...new Uint8Array(b)];

window.talk = async () => {
  try {
    const value = { a: [1, "ü€😀", null, true, -1.5e-7, { "": [] }] };
    same(await s.timeout(5000).emitWithAck("echo", value), value);

    const seen = [];
    const all = new Promise((resolve) => s.on("said", (n) => seen.push(n) === 200 && resolve()));
    for (let n = 0; n < 200; n++) s.emit("say", n);
    await all;
    s.off("said");
    same(seen, Array.from({ length: 200 }, (_, n) => n));

    const raw = new Uint8Array([0, 1, 2, 254, 255]);
    for (const sent of [raw.buffer, raw, new DataView(raw.buffer), new Blob([raw]), new File([raw], "a.bin")]) {
      same(bytes(await s.timeout(5000).emitWithAck("echo", sent)), [...raw]);
    }
    const nested = await s.timeout(5000).emitWithAck("echo", { list: [raw.subarray(1, 3), "x", { deep: new Uint16Array([258]) }] });
    same([bytes(nested.list[0]), nested.list[1], bytes(nested.list[2].deep)], [[1, 2], "x", [2, 1]]);
    const big = new Uint8Array(300_000).map((_, i) => i * 7);
    same(bytes(await s.timeout(20000).emitWithAck("echo", big)).length, big.length);

    const guarded = s.io.socket("/guarded", { auth: { token: "bad" } });
    const [err] = await once(guarded, "connect_error");
    same([err.message, err.data, guarded.active], ["Invalid token", { code: 401 }, false]);
    guarded.auth = { token: "good" };
    guarded.connect();
    await once(guarded, "connect");
    guarded.disconnect();
    return "ok";
  } catch (err) {
    return err.stack;
  }
};

/** From now on, losing the connection is part of the plan. */
window.expectLoss = async () => {
  const disconnected = once(s, "disconnect");
  window.lost = false;
  back = (async () => {
    const [reason] = await disconnected;
    window.lost = true;
    const said = once(s, "said");
    s.emit("say", "said while away");
    return [reason, (await said)[0]].join();
  })();
};
window.back = () => back;

window.reconnect = async (times) => {
  performance.setResourceTimingBufferSize(0); // it would keep an entry for each request
  for (let n = 0; n < times; n++) {
    const connected = once(s, "connect");
    s.io.engine.close();
    await connected;
  }
  return times;
};

const workers = {
  Worker: () => new Worker("/worker.js", { type: "module" }),
  SharedWorker: () => new SharedWorker("/worker.js", { type: "module" }).port,
  ServiceWorker: async () => {
    await navigator.serviceWorker.register("/worker.js", { type: "module" });
    return (await navigator.serviceWorker.ready).active;
  },
};

/** Has a worker of this kind talk, and resolves with what it says. */
window.inWorker = async (kind, transports) => {
  const { port1, port2 } = new MessageChannel();
  const said = new Promise((resolve) => (port1.onmessage = ({ data }) => resolve(data)));
  (await workers[kind]()).postMessage(transports, [port2]);
  return said;
};

/** What a server that refuses everything is found to say. */
window.refused = async (transports) => {
  const { io } = await import("/ours.js");
  const s = io({ ...(transports && { transports: [transports] }), reconnection: false, forceNew: true });
  const [{ type, description }] = await once(s, "connect_error");
  s.disconnect();
  return `${type} ${description}`;
};

const message = { user: "ann", message: "have you seen the salmon run?" };

/** Emits per second, until the server has had the last. */
window.emits = async (count) => {
  const began = performance.now();
  for (let n = 0; n < count; n++) {
    s.emit("take", { ...message, n });
    // As an application would: not all within one task.
    if (n % 100 === 99) await new Promise((resolve) => setTimeout(resolve));
  }
  await s.emitWithAck("done");
  return (count * 1000) / (performance.now() - began);
};

/** Events per second that arrive and are handled. */
window.receives = async (count) => {
  const began = performance.now();
  await new Promise((resolve) => {
    let seen = 0;
    s.on("said", () => ++seen === count && resolve());
    s.emit("flood", count);
  });
  s.off("said");
  return (count * 1000) / (performance.now() - began);
};
