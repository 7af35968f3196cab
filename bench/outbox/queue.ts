import axios from 'axios';
import { type Job, Queue, Worker } from 'bullmq';
import type { ContenderModule } from '../contenders/forked.js';
import { type Contender, DATA, Unanswered } from './contender.js';

interface Delivery {
  readonly event: number;
  readonly place: number;
  readonly url: string;
  readonly data: unknown;
}

/** E2: one BullMQ job for each delivery, up to five attempts, posted by axios; the jobs of one event in one call. */
export async function queue(
  name: string,
  port: number,
  urls: readonly string[],
  concurrency = 100,
): Promise<Contender> {
  const connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null };
  const jobs = new Queue<Delivery>(name, {
    connection,
    defaultJobOptions: {
      attempts: 5,
      backoff: { type: 'exponential', delay: 1000 },
      removeOnComplete: true,
    },
  });
  const unanswered = new Unanswered<number>(urls.length);
  const worker = new Worker<Delivery>(
    name,
    async ({ data: { event, place, url, data } }: Job<Delivery>) => {
      await axios.post(url, data);
      unanswered.answered(event, place);
    },
    { connection, concurrency },
  );
  await Promise.all([jobs.waitUntilReady(), worker.waitUntilReady()]);
  let events = 0;
  const send = async (answered?: (subscriber: number) => void) => {
    const event = events++;
    const done = unanswered.add(event, answered);
    await jobs.addBulk(
      urls.map((url, place) => ({ name: 'deliver', data: { event, place, url, data: DATA } })),
    );
    await done;
  };
  return {
    name,
    send,
    once: () => send(),
    stop: async () => {
      await worker.close();
      await jobs.close();
    },
  };
}

/** {@link queue} for a process of its own. */
export const e2: ContenderModule<Parameters<typeof queue>> = {
  url: import.meta.url,
  open: queue,
};
