// The client with WebSocket, polling and the upgrade between them.
import { polling } from "./engine/polling";

export * from "./core";
export { io as default } from "./core";
export { polling as Fetch, polling as XHR, polling as NodeXHR };
export { webtransport as WebTransport } from "./engine/webtransport";
