/** True in the development build; `web/build` sets it. */
declare const __DEV__: boolean;
/** True in the build with WebSocket alone. */
declare const __CORE__: boolean;
/** True in the build whose codec is MessagePack. */
declare const __MSGPACK__: boolean;
/** True in the build for Node, where bytes are a Buffer. */
declare const __NODE__: boolean;

type Timer = ReturnType<typeof setTimeout>;

/** Calls fn after so many milliseconds: setTimeout, and in Node the one of later.ts. */
declare function later(fn: () => void, ms: number, owner: { opts: { autoUnref?: boolean } }): Timer;
/** Runs fn soon, and apart from the caller: what it throws is nobody else's. */
declare function soon(fn: () => void): void;
