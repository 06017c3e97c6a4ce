import { type TransportKind } from "./transport";
/** The part of a WebSocket constructor that the client uses. */
export interface WebSocketConstructor {
    new (url: string, protocols?: any, options?: any): any;
}
/** The WebSocket transport: one frame per packet, bytes as they are. */
export declare const websocket: TransportKind;
