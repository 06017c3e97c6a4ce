import type { Carrier, Host, TransportKind } from "./transport";
/**
 * Opens transports one after the other until one works, and then goes on to a
 * better one if there is one.
 */
export declare function start(engine: Carrier, host: Host, kinds: TransportKind[]): void;
