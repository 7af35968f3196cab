import { Logger } from '@nestjs/common';
import { errorText } from '../../common/index.js';

const REPEAT_AFTER_MS = 60_000;

/** Logs an outage of a queue when it starts, once a minute while it lasts, and when it ends. */
export class OutageLog {
  readonly #logger = new Logger('Thorn');
  #loggedAt: number | null = null;

  /** @param subject of the sentence, such as `The queue thorn` */
  constructor(private readonly subject: string) {}

  /** Logs the outage, unless it has been logged less than a minute ago. */
  report(error: unknown): void {
    const now = performance.now();
    if (this.#loggedAt !== null && now - this.#loggedAt < REPEAT_AFTER_MS) return;
    this.#loggedAt = now;
    this.#logger.warn(
      `${this.subject} cannot be reached; messages wait in the database, where workers find them: ${errorText(error)}`,
    );
  }

  /** Logs the end of the outage, if there was one. */
  clear(): void {
    if (this.#loggedAt === null) return;
    this.#loggedAt = null;
    this.#logger.log(`${this.subject} can be reached again`);
  }
}
