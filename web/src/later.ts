// The timer of the build for Node. Elsewhere the bundler puts setTimeout in the place
// of `later`, and queueMicrotask in that of `soon`.

/** A timer that does not keep the process alive if `autoUnref` is set. */
export function later(fn: () => void, ms: number, owner: { opts: { autoUnref?: boolean } }): Timer {
  const timer = setTimeout(fn, ms);
  if (owner.opts.autoUnref) (timer as unknown as { unref(): void }).unref();
  return timer;
}
