import { type TransportKind } from "./transport";
/** The WebSocket transport: one frame per packet, bytes as they are. */
export declare const websocket: TransportKind;
