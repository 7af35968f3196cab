import type { Batch } from '../../common/long-work.js';
import { FIRST_KEY } from '../tables/keys.js';
import { type MessageCursor, parseCursor, formatCursor } from '../model/message-cursor.js';
import type { OutboxSettings } from '../model/outbox-options.js';
import type { MessageRemoval, Remainder } from './message-removal.js';
import type { MessageState, MessageStates } from './message-states.js';
import { retentionLimits } from './retention-limits.js';

/** The counts of {@link Maintenance.prune} for messages, or with `dryRun` the expected counts. */
export interface PruneCounts {
  /** Messages that were looked at. */
  readonly checked: number;
  /** Messages that were deleted, with their deliveries and attempts. */
  readonly deleted: number;
  /** Messages that were kept, without their body. */
  readonly bodies: number;
  /** Messages that were kept, without what endpoints have answered to them. */
  readonly responses: number;
  /** Old messages that were left, because something of them is under way. */
  readonly open: number;
}

/** One pass of {@link PrunePass}. */
export interface PrunePassOptions {
  readonly now: number;
  /** Finished messages from before that time are deleted; null: as old as the settings say. */
  readonly before: number | null;
  readonly dryRun: boolean;
}

/** Nothing was looked at. */
export const NOTHING_PRUNED: PruneCounts = {
  checked: 0,
  deleted: 0,
  bodies: 0,
  responses: 0,
  open: 0,
};

const BATCH = 200;
const START: MessageCursor = { time: 0, id: `msg_${FIRST_KEY}` };
const NOTHING: Remainder = { begun: [], kept: [] };
const NOTHING_LEFT = { messages: NOTHING, bodies: NOTHING, responses: NOTHING };

/**
 * Goes through the old messages of a data source once, oldest first, and drops what may go. What a worker's `Retention`
 * does in its spare time, for who wants to see it done.
 */
export class PrunePass {
  constructor(
    private readonly states: MessageStates,
    private readonly removal: MessageRemoval,
    private readonly settings: OutboxSettings,
  ) {}

  /** @param after the `next` of the batch before, or null */
  async batch(
    { now, before, dryRun }: PrunePassOptions,
    after: string | null,
  ): Promise<Batch<PruneCounts>> {
    const settings = retentionLimits(this.settings, now);
    const limits = before === null ? settings : { ...settings, messages: before };
    const { messages: found, isLast } = await this.states.page(
      after === null ? START : parseCursor(after),
      Math.max(limits.messages, limits.bodies, limits.responses),
      BATCH,
    );
    const old = found.filter((one) => isBefore(one, limits.messages));
    const kept = found.filter((one) => !isBefore(one, limits.messages));
    const bodies = kept.filter((one) => one.hasBody && isBefore(one, limits.bodies));
    const responses = kept.filter((one) => one.hasResponses && isBefore(one, limits.responses));
    const left = dryRun
      ? NOTHING_LEFT
      : {
          messages: await this.removal.messages(old, limits.messages),
          bodies: await this.removal.bodies(bodies, limits.bodies),
          responses: await this.removal.responses(responses, limits.responses),
        };
    const counts = {
      ...NOTHING_PRUNED,
      bodies: bodies.length - left.bodies.kept.length,
    };
    // The next batch goes on with these messages, and counts them once nothing is left of them.
    if (left.messages.begun.length + left.responses.begun.length > 0) {
      return { counts, next: after ?? formatCursor(START) };
    }
    return {
      counts: {
        ...counts,
        checked: found.length,
        deleted: old.length - left.messages.kept.length,
        responses: responses.length,
        open: found.filter(({ finishedAt }) => finishedAt === null).length,
      },
      next: isLast ? null : formatCursor(found.at(-1)!),
    };
  }
}

function isBefore({ finishedAt }: MessageState, moment: number): boolean {
  return finishedAt !== null && finishedAt < moment;
}
