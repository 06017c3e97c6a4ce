import { type TransportKind } from "./transport";
/** The WebTransport transport: one stream in both directions over HTTP/3. */
export declare const webtransport: TransportKind;
