import type { Engine } from "./engine";
import { type Host, type Transport } from "./transport";
/** The HTTP long-polling transport: one GET waits while POSTs bring packets. */
export declare function polling(engine: Engine, host: Host): Transport;
