/** Tells the console, once for each text. */
export declare function warn(topic: string, text: string): void;
/** Says in more words what an error of a connection most often means. */
export declare function explain(error: Error & {
    description?: unknown;
    context?: unknown;
}): void;
