import { Logger } from '@nestjs/common';
import { Worker } from 'bullmq';
import { errorText } from '../common/index.js';
import { ThornError } from '../errors/index.js';
import { type RelayWorker, ticketsOf } from '../outbox/index.js';
import type { QueueSettings } from './bullmq-options.js';
import type { Connections } from './connections.js';
import { sharedOptions } from './create-queue.js';

const FAILED_KEPT = 1000;
// Attempts are counted in the database: a job that stalled many times may still have deliveries to make.
const STALLS = 1_000_000;

/** Creates a worker that gives the tickets of jobs to `relayWorker`, once `run()` is called. */
export function createWorker(
  { queue, concurrency, lock }: QueueSettings,
  connections: Connections,
  relayWorker: RelayWorker,
): Worker {
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
      autorun: false,
      lockDuration: lock,
      stalledInterval: lock,
      maxStalledCount: STALLS,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: FAILED_KEPT },
    },
  );
  worker.on('failed', (job, error) => {
    const text = `The job ${job?.id ?? ''} of the queue ${queue} failed: ${errorText(error)}`;
    new Logger('Thorn').error(text);
  });
  return worker;
}

/**
 * Thrown to BullMQ when a job failed. BullMQ keeps the text in Redis, and the error of a driver may quote parameters. So this error
 * has the text that is logged, which has none.
 */
export class JobFailedError extends ThornError {
  readonly code = 'THORN_JOB_FAILED';

  constructor(reason: unknown) {
    super(errorText(reason));
  }
}
