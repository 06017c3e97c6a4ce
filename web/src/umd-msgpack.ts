// What a script tag gets that wants MessagePack: it is the codec by default, and
// JSON is not there.
import { start } from "./engine/several";
import { polling } from "./engine/polling";
import { websocket } from "./engine/websocket";
import { env } from "./env";
import { events } from "./events";
import { io } from "./io";
import parser from "./msgpack";

env._kinds = { websocket, polling };
env._start = start;
env._parser = parser;
export default Object.assign(io, { events });
