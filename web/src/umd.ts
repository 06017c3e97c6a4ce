// What a script tag or require() gets: the function itself.
import * as all from "./index";

Object.assign(all.io, { batches: all.batches, events: all.events });
export default all.io;
