import { scope } from "./env";

/** An address in the parts that the client needs. */
export interface Address {
  /** The whole address, with a scheme. */
  source: string;
  secure: boolean;
  /** The host, in brackets if it is an IPv6 address. */
  host: string;
  /** The port as it was written, "" for the default of the scheme. */
  port: string;
  /** The path, which is the namespace; at least "/". */
  path: string;
  query: Query;
}

/** Query parameters, by name. */
export interface Query {
  [name: string]: string | number | boolean | null | undefined;
}

/**
 * Takes an address apart: an absolute one, one without a scheme, or a path on
 * the host of the page. It does without `URL`, which React Native has only in
 * part.
 */
export function parse(uri?: string | null): Address {
  const page = scope.location;
  const scheme = page && /^http/.test(page.protocol) ? page.protocol : "https:";
  let source = uri || "/";
  if (source.length > 8000) throw new Error("URI too long");
  if (/^\/(?!\/)/.test(source)) {
    if (!page) throw new Error("io(): without a page to take it from, the address must name a host, as in io(\"https://example.org\")");
    source = page.host + source;
  }
  if (!/^(https?|wss?):\/\//i.test(source)) source = scheme + source.replace(/^(\/\/)?/, "//");
  const m = /^(\w+):\/\/(?:[^/?#]*@)?(\[[^\]]*\]|[^:/?#]*):?(\d*)([^?#]*)\??([^#]*)/.exec(source)!;
  const query: Query = {};
  for (const pair of m[5] ? m[5].split("&") : []) {
    const [name, value] = pair.split("=");
    query[decodeURIComponent(name)] = decodeURIComponent(value || "");
  }
  return { source, secure: /s$/i.test(m[1]), host: m[2], port: m[3], path: m[4] || "/", query };
}

/** Writes query parameters, in order, without those that are undefined. */
export const formatQuery = (query: Query): string =>
  Object.keys(query)
    .filter((name) => query[name] !== undefined)
    .map((name) => encodeURIComponent(name) + "=" + encodeURIComponent(query[name] as string))
    .join("&");
