import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { type Clock, errorText } from '../../common/index.js';
import type { MessageOrder } from '../schemes/webhook-scheme.js';
import type { ClaimResult, MessageClaim, ReceivedMessages } from './received-messages.js';

/** Tells whether a handler may run, and records how it ends. */
export interface ProcessingAttempt {
  readonly state: ClaimResult;
  complete(): Promise<void>;
  /** Lets the next attempt run after the handler failed. Never rejects: the claim expires by itself. */
  release(): Promise<void>;
}

/** Checked times of claims, in milliseconds. */
export interface ClaimDurations {
  readonly retention: number;
  readonly lease: number;
}

/** Checked settings of `processInOrder`. */
export interface OrderSettings extends ClaimDurations {
  /** How to treat messages that come after a later message of their key was processed. */
  readonly older: 'drop' | 'report';
}

const ALWAYS: ProcessingAttempt = {
  state: 'claimed',
  complete: async () => undefined,
  release: async () => undefined,
};

/**
 * Gives each message to one handler at a time, and to no handler once it is processed. It lets the messages of a key
 * through one at a time, and no message after a later one was processed.
 */
export class ProcessingAttempts {
  readonly #logger = new Logger('ThornReceiver');

  /** @param messages null: repeated messages are not recognised, and messages are handled in any order */
  constructor(
    private readonly store: ReceivedMessages,
    private readonly deduplication: ClaimDurations | null,
    private readonly order: OrderSettings | null,
    private readonly clock: Clock,
  ) {}

  get dropsOlder(): boolean {
    return this.order?.older === 'drop';
  }

  async ofMessage(receiver: string, id: string | null): Promise<ProcessingAttempt> {
    if (id === null || this.deduplication === null) return ALWAYS;
    return this.#begin({ kind: 'message', receiver, key: id, sequence: 1 }, this.deduplication);
  }

  async ofKey(receiver: string, order: MessageOrder | null): Promise<ProcessingAttempt> {
    if (order === null || this.order === null) return ALWAYS;
    const { key, sequence } = order;
    return this.#begin({ kind: 'key', receiver, key, sequence }, this.order);
  }

  async #begin(
    subject: Omit<MessageClaim, 'token'>,
    { lease, retention }: ClaimDurations,
  ): Promise<ProcessingAttempt> {
    const { store, clock } = this;
    const claim = { ...subject, token: randomUUID() };
    const timesOf = (kept: number) => {
      const now = clock.now();
      return { now, leasedUntil: now + lease, keptUntil: now + kept };
    };
    return {
      state: await store.claim(claim, timesOf(Math.max(lease, retention))),
      complete: () => store.complete(claim, timesOf(retention)),
      release: () =>
        store.release(claim).catch((error: unknown) => {
          this.#logger.warn(
            `A ${claim.kind} of the receiver "${claim.receiver}" stays claimed for ${lease / 1000} s at most: ${errorText(error)}`,
          );
        }),
    };
  }
}
