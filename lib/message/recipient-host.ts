import type { Recipient } from './recipient.js';

/** Stands for the host of what has no URL that can be read. */
export const NO_HOST = '-';

/** Host and port of a recipient's URL: what deliveries are told apart by while they wait, and all that is told of it. */
export function hostOf({ url }: Pick<Recipient, 'url'>): string {
  return URL.canParse(url) ? new URL(url).host : NO_HOST;
}
