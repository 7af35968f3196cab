import { FIRST_KEY, type MessageCursor } from '../tables/keys.js';
import type { CheckedOutboxOptions } from '../outbox-options.js';
import type { MessageRemoval, Remainder } from './message-removal.js';
import type { MessageState, MessageStates } from './message-states.js';

/** Milliseconds of a day. */
export const DAY = 24 * 60 * 60_000;

/** The age limits of retention: data finished before these times is dropped. Milliseconds since the Unix epoch. */
export interface RetentionLimits {
  readonly messages: number;
  readonly bodies: number;
  readonly responses: number;
}

/** Nothing is as old as these. */
export const NO_LIMITS: RetentionLimits = { messages: 0, bodies: 0, responses: 0 };

/**
 * Computes the limits at a given time. Bodies and responses are dropped with their message, unless they are dropped
 * before.
 */
function retentionLimits(
  { retentionDays, payloadDays, responseDays }: CheckedOutboxOptions,
  now: number,
): RetentionLimits {
  // The columns of times are whole numbers; a part of a day need not be one.
  const before = (days: number) => Math.round(now - days * DAY);
  return {
    messages: before(retentionDays),
    bodies: before(payloadDays),
    responses: before(responseDays),
  };
}

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

/** What a batch does. */
export interface PassOptions {
  /** Finished messages, or parts of them, from before these times are dropped. */
  readonly limits: RetentionLimits;
  readonly dryRun?: boolean;
}

export interface PassBatch {
  readonly counts: PruneCounts;
  /** Where the next batch begins. */
  readonly next: MessageCursor;
  /** False when there may be more behind it. */
  readonly isLast: boolean;
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
const NOTHING: Remainder = { begun: [], kept: [] };
const NOTHING_LEFT = { messages: NOTHING, bodies: NOTHING, responses: NOTHING };

/** Where a pass begins. */
export const PASS_START: MessageCursor = { time: 0, id: `msg_${FIRST_KEY}` };

/** Goes through the old messages of a data source, oldest first, and drops what may go. */
export class RetentionPass {
  constructor(
    private readonly states: MessageStates,
    private readonly removal: MessageRemoval,
    private readonly settings: CheckedOutboxOptions,
  ) {}

  /** The limits that the settings say. @param now milliseconds since the Unix epoch */
  limitsAt(now: number): RetentionLimits {
    return retentionLimits(this.settings, now);
  }

  async batch({ limits, dryRun = false }: PassOptions, after: MessageCursor): Promise<PassBatch> {
    const { messages: found, isLast } = await this.states.page(
      after,
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
      return { counts, next: after, isLast: false };
    }
    return {
      counts: {
        ...counts,
        checked: found.length,
        deleted: old.length - left.messages.kept.length,
        responses: responses.length,
        open: found.filter(({ finishedAt }) => finishedAt === null).length,
      },
      next: found.at(-1) ?? after,
      isLast,
    };
  }
}

function isBefore({ finishedAt }: MessageState, moment: number): boolean {
  return finishedAt !== null && finishedAt < moment;
}
