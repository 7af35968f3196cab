import 'reflect-metadata';
import '../require.js';
import { rate } from '../harness.js';
import type { Contender } from '../outbox/contender.js';
import { latencies } from '../outbox/latency.js';
import type { ForkedCandidate, Request } from './forked.js';

interface Task {
  readonly url: string;
  readonly open: string;
  readonly args: readonly unknown[];
}

const { url, open, args } = JSON.parse(process.argv[2]!) as Task;
const module = (await import(url)) as Record<
  string,
  (...args: unknown[]) => Promise<ForkedCandidate>
>;
const contender = await module[open]!(...args);

process.on('message', (request: Request) => {
  void answer(request).then((found) => process.send!(found));
});
process.once('disconnect', () => void contender.stop().then(() => process.exit()));
process.send!('open');

async function answer(request: Request): Promise<number | number[]> {
  switch (request.ask) {
    case 'rate':
      return rate(contender, request.milliseconds, request.inFlight);
    case 'latencies':
      return latencies(contender as Contender, request.pace, request.milliseconds);
    case 'cpu': {
      const { user, system } = process.cpuUsage();
      return user + system;
    }
  }
}
