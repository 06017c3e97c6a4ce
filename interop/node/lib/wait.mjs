// within rejects, in words, when p takes longer than ms. what may be a
// function if it costs something to say.
export async function within(ms, what, p) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`waited ${ms} ms for ${typeof what === "function" ? what() : what}`));
    }, ms);
  });
  try {
    return await Promise.race([p, late]);
  } finally {
    clearTimeout(timer);
  }
}

// event resolves with the arguments of the next event of emitter.
export function event(emitter, name, ms = 10_000) {
  return within(ms, `event "${name}"`, new Promise((resolve) => emitter.once(name, (...args) => resolve(args))));
}

export const tick = () => new Promise((resolve) => setImmediate(resolve));
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
