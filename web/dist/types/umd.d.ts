import * as all from "./index";
declare const _default: ((uri?: string | all.Options, opts?: all.Options) => all.Socket<any, any>) & {
    Manager: typeof all.Manager;
    Socket: typeof all.Socket;
    io: (uri?: string | all.Options, opts?: all.Options) => all.Socket<any, any>;
    connect: (uri?: string | all.Options, opts?: all.Options) => all.Socket<any, any>;
};
export default _default;
