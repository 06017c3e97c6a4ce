import { batches } from "./batches";
import { events } from "./events";
declare const _default: ((uri?: string | import("./io").Options, opts?: import("./io").Options) => import("./socket").Socket<any, any>) & {
    Manager: typeof import("./manager").Manager;
    Socket: typeof import("./socket").Socket;
    io: (uri?: string | import("./io").Options, opts?: import("./io").Options) => import("./socket").Socket<any, any>;
    connect: (uri?: string | import("./io").Options, opts?: import("./io").Options) => import("./socket").Socket<any, any>;
} & {
    batches: typeof batches;
    events: typeof events;
};
export default _default;
