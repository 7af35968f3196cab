import { forked } from './contenders/forked.js';
import {
  type Candidate,
  median,
  paced,
  rates,
  ratio,
  type Remote,
  reportRatio,
  reportValue,
} from './harness.js';
import {
  AllowAll,
  type ClientName,
  deliveries,
  guardedDeliverer,
  requests,
} from './http/client.js';
import { partsOf } from './parts.js';
import { type Receiver, startReceiver } from './receiver.js';

const NAMES: readonly ClientName[] = ['axios.post', 'dispatch', 'default', 'interceptors'];
const GUARD_SCHEDULE = { warmUp: 0, turn: 200, rounds: 60, inFlight: 64 };
const SCHEDULE = { warmUp: 3000, turn: 1500, rounds: 9, inFlight: 64 };

/** @param wanted names of parts; all when there are none */
export async function run(wanted: readonly string[]): Promise<void> {
  for (const part of partsOf<undefined>('http', { clients: compared }, wanted)) {
    await part.run(undefined);
  }
}

/**
 * One request: the default client and deliverer against `axios.post`, against bare undici, and against the same with a
 * policy that allows everything.
 */
async function compared(): Promise<void> {
  const receiver = await startReceiver();
  const clients = await Promise.all(NAMES.map((name) => forked(requests, name, receiver.port)));
  const [guarded, unguarded] = [guardedDeliverer(), guardedDeliverer(new AllowAll())];
  try {
    const load = new Load(receiver);
    report(
      await rates(
        clients.map((one) => (one.name === 'default' ? load.watch(one) : one)),
        SCHEDULE,
      ),
    );
    for (const one of clients) await one.stop();
    const [of, to] = [guarded, unguarded].map((one) => deliveries(one.deliverer, receiver.port));
    reportValue('http.guard-cost', await cpuRatio(of!, to!), 'times', 1.05);
    console.error(
      `receiver: ${receiver.kind}, busy ${load.busy} of the time under the default client`,
    );
  } finally {
    await Promise.all([guarded, unguarded].map(({ client }) => client.close()));
    await receiver.stop();
  }
}

function report(found: Map<string, number[]>): void {
  const of = (name: string) => found.get(name)!;
  for (const [name, all] of found) {
    console.error(`${name.padEnd(14)}${Math.round(median(all)).toString().padStart(8)} requests/s`);
  }
  reportRatio('http.default', 'axios.post', ratio(of('default'), of('axios.post')), 8);
  reportRatio('http.interceptors', 'axios.post', ratio(of('interceptors'), of('axios.post')), 3);
  reportRatio('http.vs-dispatch', 'dispatch', ratio(of('default'), of('dispatch')), 0.75);
}

/**
 * How many times the CPU time of `to` one request of `of` takes. By short turns, each first as often as second: the
 * difference is far below what the machine's other work does to requests per second.
 */
async function cpuRatio(of: Candidate['once'], to: Candidate['once']): Promise<number> {
  const { inFlight } = GUARD_SCHEDULE;
  const { turn, rounds: pairs } = paced(GUARD_SCHEDULE);
  const both = [of, to];
  const costs: [of: number, to: number][] = [];
  for (let pair = -10; pair < pairs; pair++) {
    const cost: [number, number] = [0, 0];
    const first = pair & 1;
    for (const which of [first, 1 - first]) cost[which] = await cpuOf(both[which]!, turn, inFlight);
    if (pair >= 0) costs.push(cost);
  }
  // In pairs of pairs, so that being first weighs on neither.
  const ratios = costs.map(([a, b]) => Math.log(a / b));
  const balanced = ratios.flatMap((value, at) =>
    at % 2 === 1 ? [(ratios[at - 1]! + value) / 2] : [],
  );
  return Math.exp(median(balanced));
}

/** Microseconds of CPU time for each time that it is done. */
async function cpuOf(
  once: Candidate['once'],
  milliseconds: number,
  inFlight: number,
): Promise<number> {
  const before = process.cpuUsage();
  const end = performance.now() + milliseconds;
  let count = 0;
  const work = async () => {
    while (performance.now() < end) {
      await once();
      count++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, work));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

/** How much the receiver works while a candidate's turn is on. */
class Load {
  #busySeconds = 0;
  #wallSeconds = 0;

  constructor(private readonly receiver: Receiver) {}

  get busy(): string {
    return `${Math.round((this.#busySeconds / this.#wallSeconds) * 100)} %`;
  }

  watch({ name, rate }: Remote): Remote {
    return {
      name,
      rate: async (milliseconds, inFlight) => {
        const [cpu, at] = [this.receiver.cpuSeconds(), performance.now()];
        const found = await rate(milliseconds, inFlight);
        this.#busySeconds += this.receiver.cpuSeconds() - cpu;
        this.#wallSeconds += (performance.now() - at) / 1000;
        return found;
      },
    };
  }
}
