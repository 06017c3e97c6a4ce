/** An address in the parts that the client needs. */
export interface Address {
    /** The whole address, with a scheme. */
    source: string;
    secure: boolean;
    /** The host, in brackets if it is an IPv6 address. */
    host: string;
    /** The port as it was written, "" for the default of the scheme. */
    port: string;
    /** The path, which is the namespace; at least "/". */
    path: string;
    query: Query;
}
/** Query parameters, by name. */
export interface Query {
    [name: string]: string | number | boolean | null | undefined;
}
/**
 * Takes an address apart: an absolute one, one without a scheme, or a path on
 * the host of the page. It does without `URL`, which React Native has only in
 * part.
 */
export declare function parse(uri?: string | null): Address;
/** Writes query parameters, in order, without those that are undefined. */
export declare const formatQuery: (query: Query) => string;
