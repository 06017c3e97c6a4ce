// What a script tag gets that wants MessagePack: it is the codec by default, and
// JSON is not there.
import { batches } from "./batches";
import { events } from "./events";
import { io } from "./io";

export default Object.assign(io, { batches, events });
