import type { MessageCursor } from '../tables/keys.js';
import {
  DAY,
  NO_LIMITS,
  PASS_START,
  type RetentionLimits,
  type RetentionPass,
} from './retention-pass.js';

type Kind = keyof RetentionLimits;

/** How far the messages were gone through for one kind of data. */
interface Progress {
  readonly next: MessageCursor;
  readonly isLast: boolean;
  /** The limit at which the pass began, in milliseconds since the Unix epoch. */
  readonly beganAt: number;
}

/** Milliseconds from one pass over all messages to the next, which finds messages that were not finished or were retried. */
const PASS_EVERY = DAY;

/** Deletes old, finished messages in small batches, which keeps locks short. */
export class RetentionSweeper {
  readonly #progress = new Map<Kind, Progress>();

  constructor(private readonly pass: RetentionPass) {}

  /**
   * Deletes and expunges one batch.
   *
   * @returns whether there may be more
   */
  async step(now: number): Promise<boolean> {
    const { messages, bodies, responses } = this.pass.limitsAt(now);
    let mayBeMore = await this.#drop('messages', messages);
    if (bodies > messages) mayBeMore = (await this.#drop('bodies', bodies)) || mayBeMore;
    if (responses > messages) mayBeMore = (await this.#drop('responses', responses)) || mayBeMore;
    return mayBeMore;
  }

  /** Continues where the last batch ended: deleted rows are not read again within a pass. */
  async #drop(kind: Kind, before: number): Promise<boolean> {
    const last = this.#progress.get(kind);
    const begins = last === undefined || (last.isLast && before - last.beganAt >= PASS_EVERY);
    const limits = { ...NO_LIMITS, [kind]: before };
    const { next, isLast } = await this.pass.batch({ limits }, begins ? PASS_START : last.next);
    this.#progress.set(kind, { next, isLast, beganAt: begins ? before : last.beganAt });
    return !isLast;
  }
}
