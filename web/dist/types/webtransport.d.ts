export { webtransport, webtransport as default, webtransport as WebTransport } from "./engine/webtransport";
