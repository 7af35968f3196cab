import {
  type ClaimResult,
  type ClaimTimes,
  type MessageClaim,
  ReceivedMessages,
} from './received-messages.js';

const DEFAULT_PREFIX = 'thorn:received:';
const PROCESSED = 'processed';
// Compared and deleted in one step: between two steps another attempt could claim the key that is then deleted.
const RELEASE =
  "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

/** Sends one command to Redis: its name and arguments, all texts. */
export type RedisCommand = (name: string, ...args: string[]) => Promise<unknown>;

/**
 * Remembers messages in Redis, for all processes together; expiry is Redis' own. Works with any client: give a function
 * that sends a command.
 *
 * @example
 * ```ts
 * new RedisReceivedMessages((name, ...args) => redis.call(name, ...args)); // ioredis
 * new RedisReceivedMessages((...command) => client.sendCommand(command)); // redis
 * ```
 */
export class RedisReceivedMessages extends ReceivedMessages {
  /** @param prefix of the keys. Default `thorn:received:` */
  constructor(
    private readonly command: RedisCommand,
    private readonly prefix: string = DEFAULT_PREFIX,
  ) {
    super();
  }

  override async claim(
    claim: MessageClaim,
    { now, leasedUntil }: ClaimTimes,
  ): Promise<ClaimResult> {
    const key = this.#keyOf(claim);
    const set = await this.command('SET', key, claim.token, 'PX', lifetime(now, leasedUntil), 'NX');
    if (set !== null) return 'claimed';
    return String(await this.command('GET', key)) === PROCESSED ? 'processed' : 'in-progress';
  }

  override async complete(claim: MessageClaim, { now, keptUntil }: ClaimTimes): Promise<void> {
    await this.command('SET', this.#keyOf(claim), PROCESSED, 'PX', lifetime(now, keptUntil));
  }

  override async release(claim: MessageClaim): Promise<void> {
    await this.command('EVAL', RELEASE, '1', this.#keyOf(claim), claim.token);
  }

  #keyOf({ receiver, id }: MessageClaim): string {
    return `${this.prefix}${encodeURIComponent(receiver)}:${id}`;
  }
}

function lifetime(now: number, until: number): string {
  return String(Math.max(1, Math.round(until - now)));
}
