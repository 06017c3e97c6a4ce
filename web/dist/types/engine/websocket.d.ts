import type { Engine } from "./engine";
import { type Host, type Transport } from "./transport";
/** The WebSocket transport: one frame per packet, bytes as they are. */
export declare function websocket(engine: Engine, host: Host): Transport;
