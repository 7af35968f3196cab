import { reportFigure } from './harness.js';
import { Endpoints } from './outbox/endpoints.js';
import { Services } from './outbox/services.js';
import { calibrate } from './scale/calibrate.js';
import { figuresOf, MEASURED, type Measured } from './scale/figures.js';
import { type Step, stepsOf } from './scale/model.js';

const LOADS = [1_000, 10_000, 100_000, 1_000_000];

/**
 * What so many deliveries a second would take: not a measurement of it but a calculation, from what one delivery costs
 * here.
 *
 * @param given figures as in `worker-cpu=70`; those that can be measured are, unless they are given
 */
export async function run(given: readonly string[]): Promise<void> {
  const { assumed, measured } = figuresOf(given);
  const isComplete = MEASURED.every((name) => measured[name] !== undefined);
  const found = isComplete ? measured : { ...(await measure()), ...measured };
  const figures = { ...assumed, ...(found as Measured) };
  for (const [name, value] of Object.entries(figures)) {
    reportFigure(`scale.input.${name}`, value, UNITS[name as keyof typeof figures]);
  }
  for (const step of stepsOf(LOADS, figures)) report(step);
}

async function measure(): Promise<Measured> {
  const endpoints = await Endpoints.start();
  const services = new Services();
  try {
    return await calibrate({ services, endpoints });
  } finally {
    await services.stop();
    await endpoints.stop();
  }
}

function report({ deliveries, bottleneck, needs, inFlight, memory }: Step): void {
  console.log(
    JSON.stringify({
      bench: `scale.${deliveries}`,
      value: deliveries,
      unit: 'deliveries/s',
      bottleneck: bottleneck.name,
      utilisation: Number(bottleneck.utilisation.toPrecision(3)),
      ...needs,
      inFlight: Math.round(inFlight),
      memory: Number(memory.toPrecision(3)),
    }),
  );
}

const UNITS = {
  'sender-cpu': 'microseconds/message',
  'worker-cpu': 'microseconds/delivery',
  'redis-cpu': 'microseconds/delivery',
  'database-cpu': 'microseconds/delivery',
  'database-wal': 'bytes/delivery',
  'wire-bytes': 'bytes/delivery',
  'fan-out': 'deliveries/message',
  latency: 'ms',
  memory: 'kB/delivery in flight',
  window: 'deliveries in flight/worker',
  'database-cores': 'cores/database',
  'database-disk': 'MB/s and database',
  network: 'Gbit/s and link',
} as const;
