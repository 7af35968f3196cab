import { Clock } from '../common/index.js';
import { InvalidInputError } from '../errors/index.js';

/**
 * A clock that stands still until it is moved.
 *
 * @example
 * ```ts
 * ThornModule.forRoot({ clock: MovableClock });
 * app.get<MovableClock>(Clock).advance(5 * 60_000);
 * ```
 */
export class MovableClock extends Clock {
  #time: number;

  /** @param start milliseconds since the Unix epoch; default the machine's time, so that signatures verify */
  constructor(start: number = Date.now()) {
    super();
    this.#time = checked('start', start);
  }

  override now(): number {
    return this.#time;
  }

  /** Moves on. @param milliseconds 0 or more; {@link set} is for going back */
  advance(milliseconds: number): void {
    if (!(milliseconds >= 0)) throw new InvalidInputError('milliseconds', 'must be 0 or more');
    this.#time = checked('milliseconds', this.#time + milliseconds);
  }

  /** Jumps, in either direction. @param time milliseconds since the Unix epoch */
  set(time: number): void {
    this.#time = checked('time', time);
  }
}

function checked(field: string, time: number): number {
  if (Number.isInteger(time)) return time;
  throw new InvalidInputError(field, 'must be a whole number of milliseconds');
}
