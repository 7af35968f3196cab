import { hostOf, type Recipient } from '../message/index.js';

/** Host and port of recipients, told once for as long as the repository hands out the same object. */
export class RecipientHosts {
  readonly #hosts = new WeakMap<Recipient, string>();

  of(recipient: Recipient): string {
    let host = this.#hosts.get(recipient);
    if (host === undefined) {
      host = hostOf(recipient);
      this.#hosts.set(recipient, host);
    }
    return host;
  }
}
