/**
 * Takes an address apart: "s" if it is secure, host and port, path, query. It may
 * be absolute, without a scheme, or a path on the host of the page. `URL` would
 * do, but React Native has it only in part.
 */
export function parse(uri = ""): [secure: string, host: string, path: string, query: string] {
  const page: { protocol?: string; host?: string } = globalThis.location || {};
  const [, scheme = page.protocol || "s:", at, path, query] = /^(?:(\w+:)?\/\/(?:[^/?#]*@)?)?([^/?#]*)([^?#]*)\??([^#]*)/.exec(uri)!;
  const secure = /s:$/i.test(scheme) ? "s" : "";
  const host = (at || page.host || "").replace(secure ? /:443$/ : /:80$/, "");
  if (!host) throw Error(__DEV__ ? "io(): without a page to take it from, the address must name a host, as in io(\"https://example.org\")" : "no host");
  return [secure, host, path || "/", query];
}
