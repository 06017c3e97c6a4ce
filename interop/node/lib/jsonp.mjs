// As much of a page as the official client of Socket.IO 2 needs to poll by script tags
// and to post by forms: what it inserts is fetched and run, what it submits is posted.
import http from "node:http";
import { runInThisContext } from "node:vm";

function request(url, method, headers, body, done, failed) {
  const req = http.request(url, { method, headers, agent: false }, (res) => {
    const chunks = [];
    res.on("data", (c) => chunks.push(c));
    res.on("end", () => done(res, Buffer.concat(chunks).toString()));
    res.on("error", failed);
  });
  req.on("error", failed);
  req.end(body);
}

class Element {
  style = {};
  children = [];

  constructor(tag) {
    this.tag = tag;
  }

  appendChild(child) {
    child.parentNode = this;
    this.children.push(child);
    if (child.tag === "script") child.load();
  }

  removeChild(child) {
    this.children = this.children.filter((c) => c !== child);
    child.removed = true;
  }

  setAttribute() {}

  // load runs a script, as a page does even if it was removed meanwhile.
  load() {
    const fail = (err) => this.onerror?.(err);
    request(this.src, "GET", {}, null, (res, body) => {
      const type = res.headers["content-type"] ?? "";
      // What is no script does not run under nosniff.
      if (res.statusCode !== 200 || (res.headers["x-content-type-options"] === "nosniff" && !/javascript/.test(type))) return fail(new Error(`${res.statusCode} ${type}`));
      runInThisContext(body);
    }, fail);
  }

  // submit posts the fields; the frame that is its target has loaded when there is an
  // answer, whatever it is, and never if there is none.
  submit() {
    const fields = this.children.filter((c) => c.name && c.tag === "textarea").map((c) => [c.name, c.value.replace(/\r?\n/g, "\r\n")]);
    const frame = this.children.find((c) => c.tag === "iframe");
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    request(this.action, this.method, headers, String(new URLSearchParams(fields)), () => frame.onload?.(), () => {});
  }
}

// install puts the page where the client looks for one.
export function install() {
  globalThis.document = {
    body: new Element("body"),
    head: new Element("head"),
    createElement(tag) {
      if (/\W/.test(tag)) throw new Error("InvalidCharacterError"); // as all but old Internet Explorers
      return new Element(tag);
    },
    getElementsByTagName: () => [],
  };
}
