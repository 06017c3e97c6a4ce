import assert from "node:assert/strict";
import { gunzipSync, inflateSync } from "node:zlib";
import { request } from "../lib/raw.mjs";

const long = "the same again ".repeat(5000);

export default [
  {
    name: "messages are compressed over WebSocket if both want it",
    tcp: true,
    options: { perMessageDeflate: { threshold: 1024 } },
    over: ["websocket", "upgrade"],
    inside: true,
    async run(t) {
      const s = await t.settled();
      const ws = s.io.engine.transport.ws; // of the official client; ours keeps its own to itself
      if (ws) assert.match(ws.extensions, /permessage-deflate/);
      const before = ws?._socket.bytesRead;
      const args = [long, Buffer.from(long), { short: 1 }, Buffer.from([1, 2, 3])];
      for (let i = 0; i < 3; i++) assert.deepEqual(await s.timeout(5000).emitWithAck("echo", args), args);
      if (!ws) return;
      const read = ws._socket.bytesRead - before;
      assert.ok(read < long.length, `${read} bytes for ${6 * long.length}`);
    },
  },
  {
    name: "messages refer to those before them if both want it",
    tcp: true,
    options: { perMessageDeflate: { threshold: 50, serverNoContextTakeover: false } },
    over: ["websocket", "upgrade"],
    inside: true,
    async run(t) {
      const s = await t.settled({ perMessageDeflate: { threshold: 50 } });
      const ws = s.io.engine.transport.ws;
      assert.match(ws.extensions, /permessage-deflate/);
      assert.doesNotMatch(ws.extensions, /no_context_takeover/);
      const { bytesRead, bytesWritten } = ws._socket;
      let text = 0;
      for (let i = 0; i < 200; i++) {
        // Digits that repeat within no message, but from one to the next.
        const args = [`${i} 0f8e21c7b5d39a46 and some more of 3b1d9c5a7e2f8046`, Buffer.from(`${i} 77aa1d02c4ff39e8b6d55190e3c8a2f4 77ab3c`)];
        text += args[0].length + args[1].length;
        assert.deepEqual(await s.timeout(5000).emitWithAck("echo", args), args);
      }
      const read = ws._socket.bytesRead - bytesRead;
      const written = ws._socket.bytesWritten - bytesWritten;
      assert.ok(read < text && written < text, `${read} and ${written} bytes for ${text} and heads`);
      for (const size of [3000, 5000, 40_000]) {
        const args = [long.slice(0, size), Buffer.from(long.slice(0, size))]; // in and beyond the window
        for (let i = 0; i < 3; i++) assert.deepEqual(await s.timeout(5000).emitWithAck("echo", args), args);
      }
    },
  },
  {
    name: "compression is off over WebSocket unless the server wants it",
    tcp: true,
    over: ["websocket"],
    inside: true,
    async run(t) {
      const s = await t.connect();
      assert.equal(s.io.engine.transport.ws?.extensions ?? "", "");
    },
  },
  {
    name: "responses to polls are compressed for those who accept it",
    over: ["polling"],
    parsers: ["json"],
    async run(t) {
      const base = `${t.server.url}/socket.io/?EIO=4&transport=polling`;
      for (const [accept, unpack] of Object.entries({ gzip: gunzipSync, deflate: inflateSync, br: (b) => b })) {
        const open = await request(base);
        const sid = JSON.parse(open.body.slice(1).split("\x1e")[0]).sid;
        const url = `${base}&sid=${sid}`;
        const post = (body) => request(url, { method: "POST", body });
        await post("40");
        await request(url);
        await post(`421["echo","${long}"]`);
        let got = "";
        while (!got.includes("431[")) {
          const res = await request(url, { headers: { "accept-encoding": accept } });
          if (res.bytes.length > 1024) assert.equal(res.headers["content-encoding"], accept === "br" ? undefined : accept);
          got += res.headers["content-encoding"] ? unpack(res.bytes).toString() : res.bytes.toString();
        }
        assert.ok(got.endsWith(`431["${long}"]`));
      }
    },
  },
];
