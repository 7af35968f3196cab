import type { ClaimTimes } from '../deduplication/received-messages.js';
import type { RedisCommand } from '../deduplication/redis-received-messages.js';
import {
  ProcessedSequences,
  type SequenceClaim,
  type SequenceClaimResult,
} from './processed-sequences.js';

const DEFAULT_PREFIX = 'thorn:sequence:';

// Each in one step, so that nobody gets in between. s: the number, t: the token of the claim, u: when it expires.
const CLAIM = `
local s, t, u = unpack(redis.call('HMGET', KEYS[1], 's', 't', 'u'))
if s and tonumber(s) >= tonumber(ARGV[1]) then return 'older' end
if t and t ~= '' and tonumber(u) > tonumber(ARGV[3]) then return 'in-progress' end
redis.call('HSET', KEYS[1], 't', ARGV[2], 'u', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 'claimed'`;
const COMPLETE = `
local s, t = unpack(redis.call('HMGET', KEYS[1], 's', 't'))
if not s or tonumber(s) < tonumber(ARGV[1]) then redis.call('HSET', KEYS[1], 's', ARGV[1]) end
if t == ARGV[2] then redis.call('HSET', KEYS[1], 't', '') end
redis.call('PEXPIRE', KEYS[1], ARGV[3])`;
const RELEASE = `
if redis.call('HGET', KEYS[1], 't') == ARGV[1] then redis.call('HSET', KEYS[1], 't', '') end`;

/**
 * Remembers numbers in Redis, for all processes together; expiry is Redis' own. Works with any client, as
 * {@link RedisReceivedMessages} does.
 */
export class RedisProcessedSequences extends ProcessedSequences {
  /** @param prefix of the keys. Default `thorn:sequence:` */
  constructor(
    private readonly command: RedisCommand,
    private readonly prefix: string = DEFAULT_PREFIX,
  ) {
    super();
  }

  override async claim(claim: SequenceClaim, times: ClaimTimes): Promise<SequenceClaimResult> {
    const { now, leasedUntil } = times;
    const given = [claim.sequence, claim.token, now, leasedUntil, lifetime(times)];
    return String(await this.#run(CLAIM, claim, given)) as SequenceClaimResult;
  }

  override async complete(claim: SequenceClaim, times: ClaimTimes): Promise<void> {
    await this.#run(COMPLETE, claim, [claim.sequence, claim.token, lifetime(times)]);
  }

  override async release(claim: SequenceClaim): Promise<void> {
    await this.#run(RELEASE, claim, [claim.token]);
  }

  #run(
    script: string,
    { receiver, key }: SequenceClaim,
    given: readonly (string | number)[],
  ): Promise<unknown> {
    const name = `${this.prefix}${encodeURIComponent(receiver)}:${key}`;
    return this.command('EVAL', script, '1', name, ...given.map(String));
  }
}

function lifetime({ now, keptUntil }: ClaimTimes): number {
  return Math.max(1, Math.round(keptUntil - now));
}
