import { median, reportFigure, reportRatio } from '../harness.js';
import type { Ground } from '../outbox/ground.js';
import { SUBSCRIBERS } from '../outbox/throughput.js';
import { fill, openSender, reached, startWorkers, type WorkerTask } from './backlog.js';

/** What workers did in a while. */
interface Pace {
  /** Deliveries a second. */
  readonly speed: number;
  /** Microseconds of a worker for each delivery. */
  readonly cpu: number;
}

const EVENTS = 4000;
const ROUNDS = 3;

/**
 * A queue that is full already, delivered by one worker process and by two. Receivers, the database and Redis need the
 * same cores, so that what a worker costs is said beside it: what two make on cores of their own is told by that.
 */
export async function twoWorkers({ services, endpoints }: Ground): Promise<void> {
  const connection = { host: '127.0.0.1', port: await services.redis() };
  const urls = endpoints.fast(SUBSCRIBERS);
  const found: { readonly one: Pace; readonly two: Pace }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const paces: Pace[] = [];
    for (const workers of [1, 2]) {
      const options = await services.postgres();
      paces.push(await paceOf({ options, connection, urls }, workers));
    }
    const [one, two] = [paces[0]!, paces[1]!];
    console.error(`one worker: ${told(one, 1)}; two: ${told(two, 2)}`);
    found.push({ one, two });
  }
  const middle = (value: (round: (typeof found)[number]) => number) => median(found.map(value));
  reportRatio(
    'bullmq.two-workers',
    'one worker',
    middle(({ one, two }) => two.speed / one.speed),
    1.7,
  );
  reportFigure(
    'bullmq.worker-cpu',
    middle(({ one }) => one.cpu),
    'microseconds/delivery',
  );
  reportFigure(
    'bullmq.worker-cpu-of-two',
    middle(({ two }) => two.cpu),
    'microseconds/delivery',
  );
}

function told({ speed, cpu }: Pace, workers: number): string {
  const share = (speed * cpu) / (workers * 10_000);
  return `${Math.round(speed)} deliveries/s, ${Math.round(cpu)} µs each, ${Math.round(share)} % of a core for each worker`;
}

/** Between the first tenth and the last. */
async function paceOf(task: WorkerTask, workers: number): Promise<Pace> {
  const sender = await openSender(task);
  await fill(sender, EVENTS);
  const children = startWorkers(task, workers);
  const all = EVENTS * SUBSCRIBERS;
  const began = await reached(children, all * 0.1);
  const ended = await reached(children, all * 0.9);
  for (const child of children) child.kill('SIGKILL');
  await sender.close();
  const made = ended.delivered - began.delivered;
  return { speed: (made * 1000) / (ended.at - began.at), cpu: (ended.cpu - began.cpu) / made };
}
