// What only the development build says. Calls are behind `__DEV__`, which a
// bundler takes out of the others.

const page = "https://github.com/sockeye-go/socketio/blob/main/docs/browser-client.md";
const said = new Set<string>();

/** Tells the console, once for each text. */
export function warn(topic: string, text: string): void {
  if (said.has(text)) return;
  said.add(text);
  console.warn(`socket.io: ${text}\n${page}#${topic}`);
}

/** Says in more words what an error of a connection most often means. */
export function explain(error: Error & { description?: unknown; context?: unknown }): void {
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
    warn("bad-request", "400: the server refused the request. More than one server needs sticky sessions for polling (\"Session ID unknown\"); servers of version 2 need `allowEIO3`");
  } else if (description === 401 || description === 403) {
    warn("refused", description + ": the server refused the connection");
  } else if (description === 0) {
    warn("unreachable", "the server cannot be reached, or does not allow this origin (CORS)");
  }
}
