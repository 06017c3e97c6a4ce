// What a script tag gets that wants MessagePack: it is the codec by default, and
// JSON is not there.
import { env } from "./env";
import { events } from "./events";
import "./full";
import { io } from "./io";
import parser from "./msgpack";

env._parser = parser;
export default Object.assign(io, { events });
