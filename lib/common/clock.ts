/**
 * The one source of time. Every timestamp that the library stores, sends or compares comes from the injected clock,
 * so a test can move it.
 *
 * Pluggable: this class is the injection token; the default is {@link SystemClock}.
 */
export abstract class Clock {
  /** Milliseconds since the Unix epoch. */
  abstract now(): number;
}

/** The machine's wall clock. */
export class SystemClock extends Clock {
  override now(): number {
    return Date.now();
  }
}
