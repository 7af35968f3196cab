import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { type Clock, errorText } from '../../common/index.js';
import type {
  ClaimResult,
  MessageClaim,
  ReceivedMessages,
  DeduplicationTimes,
} from './received-messages.js';

/** Tells whether a handler may run, and records how it ends. */
export interface ProcessingAttempt {
  readonly state: ClaimResult;
  /** Records that the handler is done. */
  complete(): Promise<void>;
  /** Lets the next attempt run after the handler failed. Never rejects: the claim expires by itself. */
  release(): Promise<void>;
}

const ALWAYS: ProcessingAttempt = {
  state: 'claimed',
  complete: async () => undefined,
  release: async () => undefined,
};

/** Gives each message to one handler at a time, and to none when it is processed. */
export class MessageDeduplicator {
  readonly #logger = new Logger('ThornReceiver');

  /** @param store null: repetitions are not recognised */
  constructor(
    private readonly store: ReceivedMessages | null,
    private readonly times: DeduplicationTimes,
    private readonly clock: Clock,
  ) {}

  async begin({
    receiver,
    id,
  }: Pick<MessageClaim, 'receiver'> & { readonly id: string | null }): Promise<ProcessingAttempt> {
    const { store, times, clock } = this;
    if (store === null || id === null) return ALWAYS;
    const claim = { receiver, id, token: randomUUID() };
    const claimTimes = () => {
      const now = clock.now();
      return { now, leasedUntil: now + times.lease, keptUntil: now + times.retention };
    };
    return {
      state: await store.claim(claim, claimTimes()),
      complete: () => store.complete(claim, claimTimes()),
      release: () =>
        store.release(claim).catch((error: unknown) => {
          this.#logger.warn(
            `A message of the receiver "${receiver}" stays claimed for ${times.lease / 1000} s at most: ${errorText(error)}`,
          );
        }),
    };
  }
}
