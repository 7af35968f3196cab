import type { Subscriber } from '../model/subscriber.js';

/** Tells whether the URL or the description holds a text, in upper or lower case. */
export function holdsText(
  { url, description }: Pick<Subscriber, 'url' | 'description'>,
  text: string,
): boolean {
  const sought = text.toLowerCase();
  return [url, description ?? ''].some((one) => one.toLowerCase().includes(sought));
}
