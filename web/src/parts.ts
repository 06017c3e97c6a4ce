// What a build is made of. `__CORE__` and `__MSGPACK__` are known to the bundler,
// which leaves out what is not there.
import { polling } from "./engine/polling";
import type { TransportKind } from "./engine/transport";
import { websocket } from "./engine/websocket";
import msgpack from "./msgpack";
import { json, type Parser } from "./parser";

/** The transports there are, by name. */
export const kinds: Record<string, TransportKind> = __CORE__ ? { websocket } : { websocket, polling };

/** The codec unless an option names another. */
export const codec: Parser = __MSGPACK__ ? msgpack : json;
