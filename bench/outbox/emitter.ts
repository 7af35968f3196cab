import { EventEmitter } from 'node:events';
import axios from 'axios';
import type { ContenderModule } from '../contenders/forked.js';
import { type Contender, DATA } from './contender.js';

/** E1: an event emitter and `axios.post`; nothing is kept, nothing is tried again. */
export function emitter(name: string, urls: readonly string[]): Contender {
  const bus = new EventEmitter();
  bus.on(
    'order.placed',
    async (data: unknown, answered: (subscriber: number) => void, done: () => void) => {
      await Promise.all(
        urls.map((url, place) => axios.post(url, data).then(() => answered(place))),
      );
      done();
    },
  );
  const send = (answered: (subscriber: number) => void = () => undefined) =>
    new Promise<void>((done) => bus.emit('order.placed', DATA, answered, done));
  return { name, send, once: () => send(), stop: async () => undefined };
}

/** {@link emitter} for a process of its own. */
export const e1: ContenderModule<Parameters<typeof emitter>> = {
  url: import.meta.url,
  open: emitter,
};
