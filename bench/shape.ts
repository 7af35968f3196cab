import type { DataSourceOptions } from 'typeorm';
import type { Subscriber } from '../lib/subscriber/index.js';
import { forked } from './contenders/forked.js';
import { reportRatio } from './harness.js';
import { ours } from './outbox/application.js';
import { type Ground, runParts } from './outbox/ground.js';
import { ratioOf } from './outbox/latency.js';
import { measured, SUBSCRIBERS } from './outbox/throughput.js';
import { partsOf } from './parts.js';

const SCHEDULE = { warmUp: 3000, turn: 2000, rounds: 7, inFlight: 100 };
const GOAL = 0.7;

/** Shapes that leave bodies as long as they are: less to send would hide what the shape costs. */
const PARTS: Readonly<Record<string, (ground: Ground) => Promise<void>>> = {
  fields: (ground) => compare('fields', () => ({ fields: ['text'] }), ground),
  template: (ground) => compare('template', () => template(''), ground),
  /** Each subscriber has a template of its own, so that no two of them share a body. */
  templates: (ground) => compare('templates', (at) => template(` to ${at}`), ground),
};

/**
 * One event to ten subscribers that have `fields` or a `template`, against the same ten without.
 *
 * @param wanted names of parts; all when there are none
 */
export async function run(wanted: readonly string[]): Promise<void> {
  await runParts(partsOf('shape', PARTS, wanted));
}

async function compare(
  part: string,
  shapeOf: (at: number) => Partial<Subscriber>,
  { services, endpoints }: Ground,
): Promise<void> {
  const urls = endpoints.fast(SUBSCRIBERS);
  const shapes = urls.map((_, at) => shapeOf(at));
  const open = (name: string, options: DataSourceOptions, changes: Partial<Subscriber>[] = []) =>
    forked(ours, name, options, urls, {}, urls.length, changes);
  const places: readonly [string, () => Promise<DataSourceOptions>][] = [
    ['sqlite', async () => services.sqlite()],
    ['postgres', () => services.postgres()],
  ];
  for (const [place, options] of places) {
    const [shaped, plain] = [`${part} on ${place}`, `whole bodies on ${place}`];
    const found = await measured(
      [await open(shaped, await options(), shapes), await open(plain, await options())],
      SCHEDULE,
    );
    reportRatio(`shape.${part}-${place}`, 'whole bodies', ratioOf(found, shaped, plain), GOAL);
  }
}

function template(addition: string): Partial<Subscriber> {
  return { template: `{"text": "{{type}}${addition}: {{data.text}}"}` };
}
