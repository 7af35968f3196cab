import { fill, openSender, reached, startWorkers } from '../bullmq/backlog.js';
import type { Ground } from '../outbox/ground.js';
import { SUBSCRIBERS } from '../outbox/throughput.js';
import type { Measured } from './figures.js';
import { Meter } from './meter.js';

const EVENTS = 2000;

/**
 * What a message and a delivery cost here: a sender stores a backlog, then one worker delivers it. CPU time and bytes,
 * not speed, so that it matters little what else the machine does.
 */
export async function calibrate({ services, endpoints }: Ground): Promise<Measured> {
  const options = await services.postgres();
  const connection = { host: '127.0.0.1', port: await services.redis() };
  const task = { options, connection, urls: endpoints.fast(SUBSCRIBERS) };
  const sender = await openSender(task);
  const meter = await Meter.start(connection.port, (options as { readonly url: string }).url);
  await fill(sender, 200);

  const [cpu, before] = [process.cpuUsage(), await meter.read()];
  await fill(sender, EVENTS);
  const { user, system } = process.cpuUsage(cpu);
  const stored = meter.since(before, await meter.read());

  const workers = startWorkers(task, 1);
  const all = EVENTS * SUBSCRIBERS;
  const began = await reached(workers, all * 0.1);
  const first = await meter.read();
  const ended = await reached(workers, all * 0.9);
  const drained = meter.since(first, await meter.read());
  for (const worker of workers) worker.kill('SIGKILL');
  await meter.stop();
  await sender.close();

  const made = ended.delivered - began.delivered;
  const perDelivery = (name: keyof typeof stored) =>
    stored[name] / (EVENTS * SUBSCRIBERS) + drained[name] / made;
  return {
    'sender-cpu': (user + system) / EVENTS,
    'worker-cpu': (ended.cpu - began.cpu) / made,
    'redis-cpu': perDelivery('redis'),
    'database-cpu': perDelivery('database'),
    'database-wal': perDelivery('wal'),
  };
}
