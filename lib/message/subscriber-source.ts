import type { StaticSubscriber } from './recipient.js';

/** Returns the subscribers of an event; may be asynchronous, and may be a generator. */
export type SubscriberCallback = (
  event: string,
  owner: string | null,
) => SubscriberSource | Promise<SubscriberSource>;

/**
 * Static subscribers in every form that Thorn accepts: a URL, an object, a list, a generator, or a function of the event
 * and its owner that returns any of these; nested freely. Null and undefined stand for no subscriber.
 */
export type SubscriberSource =
  | string
  | StaticSubscriber
  | SubscriberCallback
  | Iterable<SubscriberSource>
  | AsyncIterable<SubscriberSource>
  | null
  | undefined;
