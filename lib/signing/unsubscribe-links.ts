import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { BoundedCache } from '../common/collections.js';
import { OptionChecks } from '../common/option-checks.js';
import { notAString } from './secrets.js';

/** Options of the link that lets receivers unsubscribe. */
export interface UnsubscribeOptions {
  /**
   * URL of the REST API as receivers reach it, including the global prefix: `https://api.example.com/hooks`. When the
   * API runs in another process than the workers, both need the same options.
   */
  readonly url: string;
  /**
   * Signs the links: 32 characters at least, for example from `openssl rand -base64 32`; while it is changed several,
   * newest first. The first signs, every one verifies.
   */
  readonly secret: string | readonly string[];
}

const CHECK = new OptionChecks('', 'unsubscribe.');
const MIN_CHARACTERS = 32;
const DIGEST_BYTES = 9;
const PROOF_BYTES = DIGEST_BYTES + 32;
const CACHED_LINKS = 20_000;

/**
 * Creates and verifies the links. A link is valid for one subscriber at one URL: after the subscriber has moved, the
 * operator of its former endpoint can no longer end it.
 *
 * @internal
 */
export class UnsubscribeLinks {
  readonly #base: string;
  readonly #secrets: readonly string[];
  readonly #links = new BoundedCache<string, string>(CACHED_LINKS);

  /** @throws {@link ThornConfigurationError} naming the option; the error does not hold the secret */
  constructor(options: UnsubscribeOptions) {
    this.#base = CHECK.apiUrl('url', options.url);
    this.#secrets = checkedSecrets(options.secret);
  }

  /** Returns the link of a subscriber. */
  of({ id, url }: { readonly id: string; readonly url: string }): string {
    const key = `${id} ${url}`;
    let link = this.#links.get(key);
    if (link === undefined) {
      const digest = digestOf(url);
      const proof = Buffer.concat([digest, signature(this.#secrets[0]!, id, digest)]);
      link = `${this.#base}/unsubscribe/${encodeURIComponent(id)}/${proof.toString('base64url')}`;
      this.#links.set(key, link);
    }
    return link;
  }

  /** Verifies that a proof was made for this subscriber, at whatever URL. */
  isSigned(id: string, proof: string): boolean {
    const bytes = Buffer.from(proof, 'base64url');
    if (bytes.length !== PROOF_BYTES || bytes.toString('base64url') !== proof) return false;
    const digest = bytes.subarray(0, DIGEST_BYTES);
    const given = bytes.subarray(DIGEST_BYTES);
    return this.#secrets
      .map((secret) => timingSafeEqual(signature(secret, id, digest), given))
      .includes(true);
  }

  /** Verifies that a proof, already verified by {@link isSigned}, is for this URL. */
  isOf(url: string, proof: string): boolean {
    return timingSafeEqual(
      digestOf(url),
      Buffer.from(proof, 'base64url').subarray(0, DIGEST_BYTES),
    );
  }
}

function digestOf(url: string): Buffer {
  return createHash('sha256').update(url).digest().subarray(0, DIGEST_BYTES);
}

function signature(secret: string, id: string, digest: Buffer): Buffer {
  // Begins with the purpose, so that nothing else that is signed with such a secret can pass for a link.
  return createHmac('sha256', secret)
    .update('thorn unsubscribe\n')
    .update(digest)
    .update(id)
    .digest();
}

function checkedSecrets(given: unknown): readonly string[] {
  const secrets: readonly unknown[] = Array.isArray(given) ? given : [given];
  const isStrong = (secret: unknown) =>
    typeof secret === 'string' && secret.length >= MIN_CHARACTERS;
  if (secrets.length > 0 && secrets.every(isStrong)) return secrets as readonly string[];
  throw CHECK.error(
    'secret',
    secrets.includes(undefined)
      ? notAString(undefined)
      : `must have ${MIN_CHARACTERS} characters at least, or be a list of such. Make one with: openssl rand -base64 32`,
  );
}
