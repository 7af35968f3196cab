import type { Ed25519Key } from './ed25519-key.js';

interface Signed {
  readonly prefix: string;
  readonly signatures: string;
}

/**
 * The signatures of the application's keys, made once for all recipients that get the same bytes in the same second.
 *
 * Kept beside the bytes themselves: a message's bytes are one buffer per content type, which all of its deliveries
 * share, and what was signed is forgotten with it.
 */
export class SharedSignatures {
  readonly #signed = new WeakMap<Buffer, Signed>();

  constructor(private readonly keys: readonly Ed25519Key[]) {}

  /**
   * `v1a` signatures, separated by blanks.
   *
   * @param prefix the message's id and the timestamp: with a new second the signatures are made anew
   */
  of(prefix: string, body: Buffer): string {
    const known = this.#signed.get(body);
    if (known?.prefix === prefix) return known.signatures;
    const signatures = this.keys.map((key) => `v1a,${key.sign(prefix, body)}`).join(' ');
    this.#signed.set(body, { prefix, signatures });
    return signatures;
  }
}
