import type { TransportKind } from "./engine/transport";
import { type Parser } from "./parser";
/** The transports there are, by name. */
export declare const kinds: Record<string, TransportKind>;
/** The codec unless an option names another. */
export declare const codec: Parser;
