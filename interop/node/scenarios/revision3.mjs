// What is different for clients of Socket.IO 2, and for Engine.IO revision 3
// under them.
import assert from "node:assert/strict";
import { request, RawPolling, RawWebSocket } from "../lib/raw.mjs";
import { event } from "../lib/wait.mjs";

const refusal = (s) => event(s, "error").then(([data]) => data);
const bytes = Buffer.from([1, 2, 3]);
const placeholder = '{"_placeholder":true,"num":0}';
const query = (t, extra = "") => `${t.server.url}/socket.io/?EIO=3&transport=polling${extra}`;

// rawPolling opens a session of revision 3 and resolves with what it takes to
// speak in it: whole requests with the framing visible.
async function rawPolling(t, extra = "") {
  const open = await request(query(t, extra));
  assert.equal(open.status, 200);
  const sid = /"sid":"([^"]+)"/.exec(open.body)[1];
  const url = query(t, `${extra}&sid=${sid}`);
  const post = (body, type = "text/plain;charset=UTF-8") => request(url, { method: "POST", headers: { "Content-Type": type }, body });
  const poll = () => new Promise((resolve, reject) => {
    // As bytes: a payload may be binary.
    fetch(url).then(async (res) => resolve({ type: res.headers.get("content-type"), body: Buffer.from(await res.arrayBuffer()) }), reject);
  });
  // until polls for text until it contains what is looked for.
  const until = async (text) => {
    for (let all = open.body; ; all += (await poll()).body) if (all.includes(text)) return all;
  };
  return { open, sid, url, post, poll, until };
}

export default [
  {
    name: "old client: ids derive from the engine's, and / is joined unasked",
    old: true,
    async run(t) {
      const manager = t.manager();
      const root = await t.connect({ manager });
      const names = ["/plain", "/dynamic-7"];
      const sockets = await Promise.all(names.map((nsp) => t.connect({ manager, nsp })));
      await t.server.told({ report: "connection", nsp: "/", id: manager.engine.id });
      for (const s of sockets) {
        assert.equal(s.id, `${s.nsp}#${manager.engine.id}`);
        await t.server.told({ report: "connection", nsp: s.nsp, id: s.id });
        assert.equal(await s.timeout(5000).emitWithAck("echo", s.nsp), s.nsp);
      }
      assert.equal(root.id, manager.engine.id);
      assert.equal(await root.timeout(5000).emitWithAck("echo", 1), 1);
    },
  },
  {
    name: "old client: the query of a namespace becomes auth",
    old: true,
    async run(t) {
      const s = t.manager().socket("/plain", { query: "token=a%20b&n=1&n=2" });
      const [{ auth, nsp }] = await event(s, "hello");
      assert.deepEqual(auth, { token: "a b", n: "2" });
      assert.equal(nsp, "/plain");
      const [root] = await event(t.socket({ query: { who: "me" } }), "hello");
      assert.equal(root.query, "me");
      assert.deepEqual(root.auth, {});
    },
  },
  {
    name: "old client: refusals come bare, as the event error",
    old: true,
    async run(t) {
      const manager = t.manager();
      const good = await t.connect({ manager });
      assert.deepEqual(await refusal(manager.socket("/nowhere")), { message: "Invalid namespace" });
      assert.deepEqual(await refusal(manager.socket("/guarded")), { code: 401, given: null });
      assert.equal(await refusal(t.manager().socket("/guarded", { query: "token=silent" })), "Invalid token");
      const s = t.manager().socket("/guarded", { query: "token=good" });
      assert.equal((await event(s, "hello"))[0].user, "ada");
      assert.equal(await good.timeout(5000).emitWithAck("echo", "same connection"), "same connection");
    },
  },
  {
    name: "old client: it pings, and a quiet connection lasts",
    old: true,
    options: { pingInterval: 200, pingTimeout: 3000 }, // patient: the machine may be busy
    async run(t) {
      const s = await t.settled();
      let pongs = 0;
      let ended;
      s.on("disconnect", (reason) => (ended = reason));
      await new Promise((resolve) => s.io.engine.on("pong", () => ++pongs === 5 && resolve()));
      assert.equal(ended, undefined);
      assert.equal(await s.timeout(5000).emitWithAck("echo", 1), 1);
    },
  },
  {
    name: "revision 3: text payloads count UTF-16 units",
    old: true,
    over: ["polling"],
    async run(t) {
      const p = await rawPolling(t, "&b64=1");
      assert.match(p.open.body, /^\d+:0\{"sid":"[\w-]{20}","upgrades":\["websocket"\],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000\}/);
      await p.until("2:40");
      assert.equal((await p.post('16:42["echo","é😀"]')).body, "ok");
      assert.match(await p.until("echo"), /16:42\["echo","é😀"\]/);
      assert.equal((await p.post("2:41")).body, "ok");
    },
  },
  {
    name: "revision 3: bytes as base64 in text, both ways",
    old: true,
    over: ["polling"],
    async run(t) {
      const p = await rawPolling(t, "&b64=1");
      await p.until("2:40");
      await p.post(`${`451-["echo",${placeholder}]`.length}:451-["echo",${placeholder}]6:b4AQID`);
      assert.match(await p.until("b4AQID"), /47:451-\["echo",\{"_placeholder":true,"num":0\}\]6:b4AQID$|6:b4AQID/);
    },
  },
  {
    name: "revision 3: binary payloads, both ways",
    old: true,
    over: ["polling"],
    async run(t) {
      const p = await rawPolling(t);
      await p.until("2:40");
      const head = Buffer.from(`451-["echo",${placeholder}]`);
      const frame = (kind, packet) => Buffer.concat([Buffer.from([kind, ...[...String(packet.length)].map(Number), 255]), packet]);
      const body = Buffer.concat([frame(0, head), frame(1, Buffer.concat([Buffer.from([4]), bytes]))]);
      assert.equal((await p.post(body, "application/octet-stream")).body, "ok");
      for (;;) {
        const got = await p.poll();
        if (!got.body.includes("451-")) continue;
        assert.equal(got.type, "application/octet-stream");
        assert.ok(got.body.includes(body), `${got.body.toString("hex")} has not ${body.toString("hex")}`);
        return;
      }
    },
  },
  {
    name: "revision 3: bytes have their type before them on a WebSocket",
    old: true,
    over: ["websocket"],
    async run(t) {
      const w = await RawWebSocket.dial(t.server, "&EIO=3");
      await w.until("0");
      await w.until("40");
      w.send(`451-["echo",${placeholder}]`);
      w.send(Buffer.concat([Buffer.from([4]), bytes]));
      await w.until("451-");
      assert.deepEqual(await w.next(), Buffer.from([4, 1, 2, 3]));
      w.send("2");
      assert.equal(await w.next(), "3");
      w.send("3"); // the wrong direction
      await w.ended();
      await t.server.told({ report: "disconnect", nsp: "/", reason: "transport error" });
    },
  },
  {
    name: "a session keeps its revision",
    old: true,
    over: ["polling"],
    async run(t) {
      const three = await rawPolling(t);
      const as4 = await request(three.url.replace("EIO=3", "EIO=4"));
      assert.equal(as4.status, 400);
      assert.deepEqual([JSON.parse(as4.body).code, JSON.parse(as4.body).message], [3, "Bad request"]);
      const four = await RawPolling.open(t.server);
      const as3 = await request(four.url.replace("EIO=4", "EIO=3"));
      assert.equal(JSON.parse(as3.body).code, 3);
      assert.equal((await four.post("40")).body, "ok");
      assert.equal((await three.post("1:2")).body, "ok");
    },
  },
  {
    name: "JSONP: what is reflected of the callback is its digits",
    over: ["polling"],
    old: true,
    async run(t) {
      for (const [j, call] of [["7", "___eio[7]("], ["", "___eio[]("], ["1);alert(2", "___eio[12]("]]) {
        const res = await request(query(t, `&b64=1&j=${encodeURIComponent(j)}`));
        assert.equal(res.status, 200);
        assert.ok(res.body.startsWith(call) && res.body.endsWith(");"), res.body);
        assert.match(JSON.parse(res.body.slice(call.length, -2)), /^\d+:0\{"sid"/);
      }
    },
  },
  {
    name: "JSONP: polls are calls and posts are forms, in both revisions",
    over: ["polling"],
    old: true,
    async run(t) {
      for (const EIO of [3, 4]) {
        const base = `${t.server.url}/socket.io/?EIO=${EIO}&transport=polling&j=0&b64=1`;
        const payload = (body) => JSON.parse(/^___eio\[0\]\((.*)\);$/s.exec(body)[1]);
        const open = payload((await request(base)).body);
        const sid = /"sid":"([^"]+)"/.exec(open)[1];
        const url = `${base}&sid=${sid}`;
        const wrap = (packet) => (EIO === 3 ? `${packet.length}:${packet}` : packet);
        const post = (packet) => {
          // As the client does: literal \n is escaped, and so are newlines.
          const d = wrap(packet).replace(/\\n/g, "\\\\n").replace(/\n/g, "\\n");
          return request(url, { method: "POST", headers: { "Content-Type": "application/x-www-form-urlencoded" }, body: "d=" + encodeURIComponent(d) });
        };
        let all = open;
        const until = async (text) => {
          while (!all.includes(text)) all += payload((await request(url)).body);
          const before = all;
          all = "";
          return before;
        };
        if (EIO === 4) assert.equal((await post("40")).body, "ok");
        await until("40");
        const said = '42["echo","line\\nline \u2028 & é+%","literal \\\\n"]';
        assert.equal((await post(said)).body, "ok");
        assert.ok((await until("echo")).includes(said));
        await post(`451-["echo",${placeholder}]`);
        await post(EIO === 3 ? "b4AQID" : "bAQID");
        await until(EIO === 3 ? "6:b4AQID" : "bAQID");
      }
    },
  },
];
