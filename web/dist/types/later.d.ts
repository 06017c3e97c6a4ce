/** A timer that does not keep the process alive if `autoUnref` is set. */
export declare function later(fn: () => void, ms: number, owner: {
    opts: {
        autoUnref?: boolean;
    };
}): Timer;
