// The official client of Socket.IO 2, which speaks Engine.IO revision 3, with
// the few words of a later one that the scenarios use.
import io from "socket.io-client-2";
import { install } from "./jsonp.mjs";
import { within } from "./wait.mjs";

install(); // for forceJSONP; without that nothing looks at it

const { Manager, Socket } = io;

Manager.prototype._close = Manager.prototype.close;

Socket.prototype.emitWithAck = function (...args) {
  return new Promise((resolve) => this.emit(...args, resolve));
};

Socket.prototype.timeout = function (ms) {
  return {
    emitWithAck: (...args) =>
      within(ms, `the ack of ${args[0]}`, this.emitWithAck(...args)).catch(() => {
        throw new Error("operation has timed out");
      }),
  };
};

export { Manager };
