import { Logger } from '@nestjs/common';
import { errorText } from '../../common/index.js';

const AGAIN_AFTER = 60_000;

/** Says that a queue cannot be reached: once when it begins, now and then while it lasts, and when it is over. */
export class OutageLog {
  readonly #logger = new Logger('Thorn');
  #saidAt: number | null = null;

  /** @param what the subject of the sentence, such as `The queue thorn` */
  constructor(private readonly what: string) {}

  report(error: unknown): void {
    const now = performance.now();
    if (this.#saidAt !== null && now - this.#saidAt < AGAIN_AFTER) return;
    this.#saidAt = now;
    this.#logger.warn(
      `${this.what} cannot be reached; messages wait in the database, where workers find them: ${errorText(error)}`,
    );
  }

  clear(): void {
    if (this.#saidAt === null) return;
    this.#saidAt = null;
    this.#logger.log(`${this.what} can be reached again`);
  }
}
