import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { type Clock, errorText } from '../../common/index.js';
import type {
  ClaimResult,
  MessageClaim,
  ReceivedMessages,
  DeduplicationTimes,
} from './received-messages.js';

/** Whether a handler may run, and how its end is recorded. */
export interface MessageTurn {
  readonly state: ClaimResult;
  /** The handler is done. */
  complete(): Promise<void>;
  /** The handler failed: the next try may run. Never fails: the claim runs out by itself. */
  release(): Promise<void>;
}

const ALWAYS: MessageTurn = {
  state: 'claimed',
  complete: async () => undefined,
  release: async () => undefined,
};

/** Gives each message to one handler at a time, and to none when it is processed. */
export class MessageDeduplicator {
  readonly #logger = new Logger('ThornReceiver');

  /** @param store null: repetitions are not told */
  constructor(
    private readonly store: ReceivedMessages | null,
    private readonly times: DeduplicationTimes,
    private readonly clock: Clock,
  ) {}

  async begin({
    receiver,
    id,
  }: Pick<MessageClaim, 'receiver'> & { readonly id: string | null }): Promise<MessageTurn> {
    const { store } = this;
    if (store === null || id === null) return ALWAYS;
    const claim = { receiver, id, token: randomUUID() };
    return {
      state: await store.claim(claim, this.#for(this.times.lease)),
      complete: () => store.complete(claim, this.#for(this.times.retention)),
      release: () =>
        store.release(claim).catch((error: unknown) => {
          this.#logger.warn(
            `A message of the receiver "${receiver}" stays claimed for ${this.times.lease / 1000} s at most: ${errorText(error)}`,
          );
        }),
    };
  }

  #for(duration: number): { now: number; until: number } {
    const now = this.clock.now();
    return { now, until: now + duration };
  }
}
