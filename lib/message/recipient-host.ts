import type { Recipient } from './recipient.js';

/** Caches host and port of recipients for as long as the repository hands out the same object. */
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

/** Returns a URL as others than its owner may see it: without its query, which may hold a token. */
export function withoutQuery(url: string): string {
  if (!URL.canParse(url)) return NO_HOST;
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

/** Stands in for the host of a recipient without a valid URL. */
export const NO_HOST = '-';

/** Returns host and port of a recipient's URL. Deliveries wait by host, and logs show no more of the URL. */
export function hostOf({ url }: Pick<Recipient, 'url'>): string {
  return URL.canParse(url) ? new URL(url).host : NO_HOST;
}
