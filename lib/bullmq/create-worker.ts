import { Logger } from '@nestjs/common';
import { type Job, Worker } from 'bullmq';
import { errorText } from '../common/index.js';
import { type RelayWorker, ticketsOf } from '../outbox/index.js';
import type { QueueSettings } from './bullmq-options.js';
import type { Connections } from './connections.js';
import { JobFailedError } from './job-failed.error.js';
import { backendOf, sharedOptions } from './create-queue.js';

const FAILED_KEPT = 1000;
// Attempts are counted in the database: a job that was dropped again and again is still good.
const STALLS = 1_000_000;

/** What takes jobs out of the queue and has them done. It runs as soon as it is ready; `error` says why it is not. */
export function newWorker(
  { queue, concurrency, lock }: QueueSettings,
  connections: Connections,
  relayWorker: RelayWorker,
): Worker {
  const isRedis = connections.backend === undefined;
  const worker = new Worker(
    queue,
    async ({ data, attemptsStarted }) => {
      try {
        await relayWorker.work(ticketsOf(data), attemptsStarted !== 1);
      } catch (error) {
        throw new JobFailedError(error);
      }
    },
    {
      connection: connections.worker,
      ...sharedOptions(connections),
      concurrency,
      autorun: isRedis,
      lockDuration: lock,
      stalledInterval: lock,
      maxStalledCount: STALLS,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: FAILED_KEPT },
    },
    ...backendOf(connections),
  );
  worker.on('failed', (job, error) => logFailure(queue, job, error));
  if (!isRedis) {
    worker
      .waitUntilReady()
      .then(() => worker.run())
      .catch((error: Error) => worker.emit('error', error));
  }
  return worker;
}

function logFailure(queue: string, job: Job | undefined, error: Error): void {
  // Some are brought again every few seconds.
  const { attemptsMade = 1, opts } = job ?? {};
  if (attemptsMade > 1 && attemptsMade < (opts?.attempts ?? 1)) return;
  const text = `The job ${job?.id ?? ''} of the queue ${queue} failed: ${errorText(error)}`;
  new Logger('Thorn').error(text);
}
