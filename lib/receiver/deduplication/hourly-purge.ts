import { Logger } from '@nestjs/common';
import { errorText } from '../../common/index.js';

/** Milliseconds between two purges. */
export const PURGE_INTERVAL = 3_600_000;

/** Deletes the expired rows of a table once an hour, when the table is used. */
export class HourlyPurge {
  readonly #logger = new Logger('ThornReceiver');
  #nextAt = 0;

  /** @param rows what the rows are, for the log */
  constructor(
    private readonly rows: string,
    private readonly purge: (now: number) => Promise<unknown>,
  ) {}

  /** Not awaited: no webhook waits for it. */
  startIfDue(now: number): void {
    if (now < this.#nextAt) return;
    this.#nextAt = now + PURGE_INTERVAL;
    this.purge(now).catch((error: unknown) => {
      this.#logger.warn(`Expired ${this.rows} could not be deleted: ${errorText(error)}`);
    });
  }
}
