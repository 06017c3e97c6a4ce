import type { Carrier, Host, TransportKind } from "./transport";
/**
 * Tries to move the engine from its transport to a better one, while messages
 * go on: a probe over the new transport, then silence on the old one, then the
 * upgrade packet. If anything fails, all stays as it is.
 */
export declare function upgrade(engine: Carrier, host: Host, kinds: TransportKind[], done: (kind: TransportKind) => void): void;
