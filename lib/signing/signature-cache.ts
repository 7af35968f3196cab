import type { Ed25519Key } from './ed25519-key.js';

interface Signed {
  readonly prefix: string;
  readonly signatures: string;
}

/**
 * Caches the signatures of the application's keys: one for all recipients that get the same bytes in the same second.
 * A message has one buffer per content type, which its deliveries share; the signatures live as long as the buffer.
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
