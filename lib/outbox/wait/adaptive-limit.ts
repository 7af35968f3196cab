// Against a plain limit of 64, by calculation: a host that takes 300 ms gets up to 1,280 requests a second instead of 213, with the
// 384 requests in flight that are the default.
const FIRST = 64;
const SLOW = 100;
const GROWTH = 0.25;
const SLOWER = 1.5;
const WEIGHT = 0.05;

/**
 * The number of requests that may be in flight to one host.
 *
 * 64 is enough for a host that answers fast, and for one that fails too much already. A slow one that answers well gets
 * more step by step, as long as it does not become slower by it: 64 requests of 300 ms are 213 a second and no more,
 * however many webhooks wait.
 */
export class AdaptiveLimit {
  readonly #first: number;
  #current: number;
  #duration = 0;
  /** The duration of requests under the first limit. */
  #base = 0;

  /** @param most the highest limit that the host gets */
  constructor(private readonly most: number) {
    this.#first = Math.min(FIRST, most);
    this.#current = this.#first;
  }

  get current(): number {
    return Math.floor(this.#current);
  }

  /**
   * Takes note of a request that has ended.
   *
   * @param milliseconds that it took
   * @param isSuccess whether the host answered the request
   * @param wasFull whether there were as many requests as the limit allows
   */
  learn(milliseconds: number, isSuccess: boolean, wasFull: boolean): void {
    if (!isSuccess) {
      this.#current = this.#first;
      return;
    }
    this.#duration +=
      this.#duration === 0 ? milliseconds : (milliseconds - this.#duration) * WEIGHT;
    if (this.#current === this.#first) this.#base = this.#duration;
    if (this.#duration < SLOW) this.#current = this.#first;
    else if (this.#duration > this.#base * SLOWER) {
      this.#current = Math.max(this.#first, this.#current - 1);
    } else if (wasFull) this.#current = Math.min(this.most, this.#current + GROWTH);
  }
}
