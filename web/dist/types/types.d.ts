/**
 * The events of a program that declares none: every name, any arguments.
 *
 * This is the one place where `any` is meant: a listener such as
 * `(text: string) => …` must be accepted here without a declaration.
 */
export interface DefaultEventsMap {
    [event: string]: (...args: any[]) => void;
}
/** A function of any shape; only ever used as a bound. */
export type AnyFunction = (...args: never[]) => unknown;
/** The names of the events in M. */
export type EventNames<M> = keyof M & string;
/** The listener that M declares for the event E. */
export type Listener<M, E> = E extends keyof M ? (M[E] extends AnyFunction ? M[E] : never) : never;
/** The arguments that M declares for the event E. */
export type EventParams<M, E extends keyof M> = M[E] extends (...args: infer P) => unknown ? P : never;
/** The arguments of a catch-all listener, which sees every event. */
export type AnyListener = (event: string, ...args: any[]) => void;
/** P without its last element, the acknowledgement. */
export type WithoutAck<P extends unknown[]> = P extends [...infer Head, infer _Ack] ? Head : P;
type LastOf<P extends unknown[]> = P extends [...unknown[], infer Ack] ? Ack : P[number];
/**
 * What the acknowledgement of an event with the arguments P brings: its first
 * argument, without the error that `timeout()` puts before it.
 */
export type AckResult<P extends unknown[]> = LastOf<P> extends (...args: infer A) => unknown ? A extends [Error | null, infer Value, ...unknown[]] ? Value : A extends [infer Value, ...unknown[]] ? Value : undefined : LastOf<P>;
type WithError<P extends unknown[]> = P extends [...infer Head, (...args: infer A) => infer R] ? [...Head, (err: Error, ...args: A) => R] : P;
/** The events of M with acknowledgements that take an error first. */
export type DecorateAcknowledgements<M> = {
    [E in keyof M]: M[E] extends (...args: infer P) => infer R ? (...args: WithError<P>) => R : M[E];
};
export {};
