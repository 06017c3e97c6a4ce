// What the default entry has more than `core`: polling and the upgrade from it, a
// look at the page, and at the size of what is sent.
import { lengthOf, sizeOf } from "./binary";
import { polling } from "./engine/polling";
import { start } from "./engine/several";
import { websocket } from "./engine/websocket";
import { env } from "./env";
import { watch } from "./page";

env._kinds = { websocket, polling };
env._start = start;
env._watch = watch;
env._check = (message, max) => {
  // A character is three bytes at most.
  if (lengthOf(message) * 3 >= max && sizeOf(message) >= max) throw Error(`payload too large: ${sizeOf(message)} bytes, maxPayload is ${max}`);
};
