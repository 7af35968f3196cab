import {
  type ClaimResult,
  type ClaimTimes,
  type MessageClaim,
  ReceivedMessages,
} from './received-messages.js';

const DEFAULT_PREFIX = 'thorn:received:';

// Each script is one atomic step, so that no other client gets in between. s: the number, t: the token of the claim, u:
// the time at which the claim expires.
const CLAIM = `
local s, t, u = unpack(redis.call('HMGET', KEYS[1], 's', 't', 'u'))
if s and tonumber(s) >= tonumber(ARGV[1]) then return 'processed' end
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

/** Sends one command to Redis: its name and arguments, all texts. */
export type RedisCommand = (name: string, ...args: string[]) => Promise<unknown>;

/**
 * Remembers messages and keys in Redis, for all processes together; expiry is Redis' own. Works with any client: give a
 * function that sends a command.
 *
 * @example
 * ```ts
 * new RedisReceivedMessages((name, ...args) => redis.call(name, ...args)); // ioredis
 * new RedisReceivedMessages((...command) => client.sendCommand(command)); // redis
 * ```
 */
export class RedisReceivedMessages extends ReceivedMessages {
  /** @param prefix of the keys in Redis. Default `thorn:received:` */
  constructor(
    private readonly command: RedisCommand,
    private readonly prefix: string = DEFAULT_PREFIX,
  ) {
    super();
  }

  override async claim(claim: MessageClaim, times: ClaimTimes): Promise<ClaimResult> {
    const { now, leasedUntil } = times;
    const given = [claim.sequence, claim.token, now, leasedUntil, lifetime(times)];
    return String(await this.#run(CLAIM, claim, given)) as ClaimResult;
  }

  override async complete(claim: MessageClaim, times: ClaimTimes): Promise<void> {
    await this.#run(COMPLETE, claim, [claim.sequence, claim.token, lifetime(times)]);
  }

  override async release(claim: MessageClaim): Promise<void> {
    await this.#run(RELEASE, claim, [claim.token]);
  }

  #run(
    script: string,
    { kind, receiver, key }: MessageClaim,
    given: readonly (string | number)[],
  ): Promise<unknown> {
    const name = `${this.prefix}${kind}:${encodeURIComponent(receiver)}:${key}`;
    return this.command('EVAL', script, '1', name, ...given.map(String));
  }
}

function lifetime({ now, keptUntil }: ClaimTimes): number {
  return Math.max(1, Math.round(keptUntil - now));
}
