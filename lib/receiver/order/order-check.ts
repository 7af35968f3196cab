import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { type Clock, errorText } from '../../common/index.js';
import type { VerifiedWebhook } from '../verification/verified-webhook.js';
import type { ProcessedSequences, SequenceClaimResult } from './processed-sequences.js';

/** Checked settings of `processInOrder`, times in milliseconds. */
export interface OrderSettings {
  /** What becomes of messages that are older than one that is processed. */
  readonly older: 'drop' | 'report';
  readonly retention: number;
  readonly lease: number;
}

/** Tells whether a handler may run, and records how it ends. */
export interface OrderedAttempt {
  readonly state: SequenceClaimResult;
  /** Records that the handler is done. */
  complete(): Promise<void>;
  /** Lets other messages of the key go on after the handler failed. Never rejects: the claim expires by itself. */
  release(): Promise<void>;
}

const ALWAYS: OrderedAttempt = {
  state: 'claimed',
  complete: async () => undefined,
  release: async () => undefined,
};

/** Lets the messages of a key through one at a time, and none that is older than one that is processed. */
export class OrderCheck {
  readonly #logger = new Logger('ThornReceiver');

  /** @param settings null: every message passes */
  constructor(
    private readonly store: ProcessedSequences,
    private readonly settings: OrderSettings | null,
    private readonly clock: Clock,
  ) {}

  /** True when messages that are older are dropped. */
  get drops(): boolean {
    return this.settings?.older === 'drop';
  }

  async begin({ receiver, order }: VerifiedWebhook): Promise<OrderedAttempt> {
    const { store, settings, clock } = this;
    if (settings === null || order === null) return ALWAYS;
    const { key, sequence } = order;
    const claim = { receiver, key, sequence, token: randomUUID() };
    const times = () => {
      const now = clock.now();
      return { now, leasedUntil: now + settings.lease, keptUntil: now + settings.retention };
    };
    return {
      state: await store.claim(claim, times()),
      complete: () => store.complete(claim, times()),
      release: () =>
        store.release(claim).catch((error: unknown) => {
          this.#logger.warn(
            `A key of the receiver "${receiver}" stays claimed for ${settings.lease / 1000} s at most: ${errorText(error)}`,
          );
        }),
    };
  }
}
