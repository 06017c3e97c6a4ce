/** Waits that grow, with a random part so that not all clients come at once. */
export declare class Backoff {
    min: number;
    max: number;
    jitter: number;
    attempts: number;
    constructor(min: number, max: number, jitter: number);
    /** The next wait, in milliseconds. */
    next(): number;
}
