import { type TransportKind } from "./transport";
/** The HTTP long-polling transport: one GET waits while POSTs bring packets. */
export declare const polling: TransportKind;
