import type { DataSourceOptions } from 'typeorm';
import { newId } from '../../lib/common/id.js';
import type { Subscriber } from '../../lib/subscriber/index.js';
import {
  type OutboxApp,
  type OutboxAppOptions,
  openOutboxApp,
  subscriber,
} from '../../test/support/apps/outbox-app.js';
import type { ContenderModule } from '../contenders/forked.js';
import { type Contender, DATA, Unanswered } from './contender.js';

const LOOPBACK = { allowedPorts: 'any', allowCidrs: ['127.0.0.0/8'] } as const;

/** The outbox with one subscriber for each URL, its settings as they come. */
export interface Application extends Contender {
  readonly rig: OutboxApp;
}

/**
 * @param awaited of so many subscribers the answers are waited for; the others are dead
 * @param changes fields of the subscribers, in the order of their URLs
 */
export async function application(
  name: string,
  options: DataSourceOptions,
  urls: readonly string[],
  rigOptions: OutboxAppOptions = {},
  awaited: number = urls.length,
  changes: readonly Partial<Subscriber>[] = [],
): Promise<Application> {
  const rig = await openOutboxApp(
    { options },
    { isLogged: false, pollInterval: 1000, recipients: LOOPBACK, ...rigOptions },
  );
  const places = new Map<string, number>();
  for (const [place, url] of urls.entries()) {
    const id = newId('sub_', Date.now());
    const one = subscriber(url, { id, events: ['order.*'], ...changes[place] });
    if (place < awaited) places.set(one.id, place);
    await rig.subscribers.create(one);
  }
  const unanswered = new Unanswered<string>(awaited);
  rig.events.on('succeeded', ({ messageId: message, subscriberId: id }) =>
    unanswered.answered(message, places.get(id)!),
  );
  rig.events.on('retry-scheduled', ({ subscriberId: id }) => {
    if (places.has(id)) throw new Error('a delivery has failed: these figures are worth nothing');
  });
  const send = (listener?: (subscriber: number) => void) => {
    const message = rig.message({ event: 'order.placed', data: DATA });
    const arrived = unanswered.add(message.id, listener);
    return rig.pipeline.send([message]).then(() => arrived);
  };
  return { name, rig, send, once: () => send(), stop: rig.close };
}

/** {@link application} for a process of its own. */
export const ours: ContenderModule<Parameters<typeof application>> = {
  url: import.meta.url,
  open: application,
};
