import type { Carrier, Host, TransportError, TransportKind } from "./transport";
/**
 * Opens transports one after the other until one works, and then goes on to a
 * better one if there is one.
 *
 * A browser tells no one why a WebSocket was refused. Polling is told; so the last
 * try asks for the status, for an error that says nothing.
 */
export declare function start(engine: Carrier & Host, kinds: TransportKind[], refused?: TransportError): void;
