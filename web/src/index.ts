// The client with WebSocket, polling and the upgrade between them.
import { polling } from "./engine/polling";
import { start } from "./engine/several";
import { env } from "./env";

env._kinds.polling = polling;
env._start = start;

export * from "./core";
export { io as default } from "./core";
export { polling as Fetch, polling as XHR, polling as NodeXHR };
export { webtransport as WebTransport } from "./engine/webtransport";
