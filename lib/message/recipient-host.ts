import type { Recipient } from './recipient.js';

/** Host and port of recipients, told once for as long as the repository hands out the same object. */
export class HostCache {
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

/** Stands for the host of what has no URL that can be read. */
export const NO_HOST = '-';

/** Host and port of a recipient's URL: what deliveries are told apart by while they wait, and all that is told of it. */
export function hostOf({ url }: Pick<Recipient, 'url'>): string {
  return URL.canParse(url) ? new URL(url).host : NO_HOST;
}
