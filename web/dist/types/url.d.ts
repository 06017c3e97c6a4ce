/**
 * Takes an address apart: "s" if it is secure, host and port, path, query. It may
 * be absolute, without a scheme, or a path on the host of the page. `URL` would
 * do, but React Native has it only in part.
 */
export declare function parse(uri?: string): [secure: string, host: string, path: string, query: string];
