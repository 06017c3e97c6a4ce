/** Waits that grow, with a random part so that not all clients come at once. */
export class Backoff {
  attempts = 0;

  constructor(
    public min: number,
    public max: number,
    public jitter: number,
  ) {}

  /** The next wait, in milliseconds. */
  next(): number {
    let ms = this.min * 2 ** this.attempts++;
    if (this.jitter) {
      const random = Math.random();
      const part = Math.floor(random * this.jitter * ms);
      // One random number for size and direction, as in the official client.
      ms += Math.floor(random * 10) & 1 ? part : -part;
    }
    return Math.min(ms, this.max) | 0;
  }
}
