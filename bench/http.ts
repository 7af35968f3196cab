import axios from 'axios';
import { Agent, type Dispatcher } from 'undici';
import { SystemClock } from '../lib/common/clock.js';
import {
  type Attempt,
  Deliverer,
  PublicRecipientPolicy,
  RecipientPolicy,
  UndiciHttpClient,
} from '../lib/delivery/index.js';
import { Codecs } from '../lib/message/codecs.js';
import { MessageFactory } from '../lib/message/message.factory.js';
import type { Recipient } from '../lib/message/recipient.js';
import { generateSecret, StandardWebhookSigner } from '../lib/signing/index.js';
import { type Candidate, median, rates, ratio, reportRatio, reportValue } from './harness.js';
import { type Receiver, startReceiver } from './receiver.js';

const SUBSCRIBERS = 1000;
const GUARD_SCHEDULE = { turn: 200, pairs: 60, inFlight: 64 };
const SCHEDULE = { warmUp: 3000, turn: 1500, rounds: 9, inFlight: 64 };

/**
 * One request: the default client and deliverer against `axios.post`, against bare undici, and against the same with a
 * policy that allows everything.
 */
export async function run(): Promise<void> {
  const receiver = await startReceiver();
  const plain = deliverer();
  const customised = deliverer();
  const guarded = deliverer();
  const unguarded = deliverer(new AllowAll());
  customised.client.axios.interceptors.request.use((config) => config);
  const agent = new Agent();
  try {
    const candidates: Candidate[] = [
      { name: 'axios.post', once: axiosPost(receiver) },
      { name: 'dispatch', once: bareDispatch(agent, receiver) },
      watched({ name: 'default', once: deliveries(plain.deliverer, receiver) }, receiver),
      { name: 'interceptors', once: deliveries(customised.deliverer, receiver) },
    ];
    report(await rates(candidates, SCHEDULE));
    const [of, to] = [guarded, unguarded].map((one) => deliveries(one.deliverer, receiver));
    reportValue('http.guard-cost', await cpuRatio(of!, to!), 'times', 1.05);
    console.error(
      `receiver: ${receiver.kind}, busy ${busy()} of the time under the default client`,
    );
  } finally {
    const clients = [plain, customised, guarded, unguarded].map(({ client }) => client.close());
    await Promise.all([...clients, agent.destroy()]);
    await receiver.stop();
  }
}

function report(found: Map<string, number[]>): void {
  const of = (name: string) => found.get(name)!;
  for (const [name, all] of found) {
    console.error(`${name.padEnd(14)}${Math.round(median(all)).toString().padStart(8)} requests/s`);
  }
  reportRatio('http.default', 'axios.post', ratio(of('default'), of('axios.post')), 9);
  reportRatio('http.interceptors', 'axios.post', ratio(of('interceptors'), of('axios.post')), 6);
  reportRatio('http.vs-dispatch', 'dispatch', ratio(of('default'), of('dispatch')), 0.6);
}

/**
 * How many times the CPU time of `to` one request of `of` takes. By short turns, each first as often as second: the
 * difference is far below what the machine's other work does to requests per second.
 */
async function cpuRatio(of: Candidate['once'], to: Candidate['once']): Promise<number> {
  const { inFlight, turn, pairs } = GUARD_SCHEDULE;
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

const messages = new MessageFactory(new SystemClock(), new Codecs());

function article() {
  return messages.create({
    event: 'article.published',
    ref: 'https://example.com/articles/17',
    sender: '42',
    data: { id: 17, title: 'A title of a usual length', state: 'PUBLISHED', tags: ['a', 'b'] },
  });
}

/** What a hand-written sender does: neither signature nor deadline nor policy. */
function axiosPost({ port }: Receiver): Candidate['once'] {
  const url = `http://127.0.0.1:${port}/hooks`;
  const payload: unknown = JSON.parse(article().json.toString());
  return () => axios.post(url, payload);
}

function bareDispatch(agent: Agent, { port }: Receiver): Candidate['once'] {
  const options: Dispatcher.DispatchOptions = {
    origin: `http://127.0.0.1:${port}`,
    path: '/hooks',
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: article().json,
  };
  return () =>
    new Promise<void>((resolve, reject) => {
      agent.dispatch(options, new Minimal(resolve, reject));
    });
}

class Minimal implements Dispatcher.DispatchHandler {
  constructor(
    readonly onComplete: () => void,
    readonly onError: (error: Error) => void,
  ) {}
  onConnect(): void {}
  onHeaders(): boolean {
    return true;
  }
  onData(): boolean {
    return true;
  }
}

/** Guards nothing; parses a URL once, as whoever posts has to. */
class AllowAll extends RecipientPolicy {
  readonly #urls = new Map<string, URL>();

  override checkUrl(text: string): URL {
    let url = this.#urls.get(text);
    if (url === undefined) this.#urls.set(text, (url = new URL(text)));
    return url;
  }

  override checkAddress(): void {}
}

const guard = () =>
  new PublicRecipientPolicy({ allowedPorts: 'any', allowCidrs: ['127.0.0.1/32'] });

function deliverer(policy: RecipientPolicy = guard()) {
  const client = new UndiciHttpClient(policy);
  const signer = new StandardWebhookSigner();
  return { client, deliverer: new Deliverer(client, signer, new SystemClock()) };
}

/** One message to many subscribers, each with a URL and a secret of its own. */
function deliveries(deliverer: Deliverer, { port }: Receiver): Candidate['once'] {
  const message = article();
  const recipients: Recipient[] = Array.from({ length: SUBSCRIBERS }, (_, number) => ({
    id: `sub_01890a5d-ac96-774b-bcce-${String(number).padStart(12, '0')}`,
    url: `http://127.0.0.1:${port}/hooks/${number}?source=thorn`,
    contentType: 'application/json',
    digest: 'sha256',
    secrets: [{ value: generateSecret(), expiresAt: null }],
  }));
  const ids = recipients.map((_, number) => ({
    id: `dlv_01890a5d-ac96-774b-bcce-${String(number).padStart(12, '0')}`,
  }));
  let count = 0;
  return () => {
    const number = count++ % SUBSCRIBERS;
    return deliverer.attempt(ids[number]!, message, recipients[number]!).then(demandSuccess);
  };
}

function demandSuccess(attempt: Attempt): void {
  if (attempt.outcome !== 'succeeded') throw new Error(attempt.error?.message ?? 'no success');
}

let busySeconds = 0;
let wallSeconds = 0;

/** Adds up what the receiver works while a candidate's turn is on. */
function watched(candidate: Candidate, receiver: Receiver): Candidate {
  let last = { at: performance.now(), cpu: receiver.cpuSeconds() };
  let count = 0;
  return {
    name: candidate.name,
    once: () => {
      if (++count % 2048 === 0) {
        const now = { at: performance.now(), cpu: receiver.cpuSeconds() };
        // A longer gap is another candidate's turn.
        if (now.at - last.at < 500) {
          busySeconds += now.cpu - last.cpu;
          wallSeconds += (now.at - last.at) / 1000;
        }
        last = now;
      }
      return candidate.once();
    },
  };
}

function busy(): string {
  return `${Math.round((busySeconds / wallSeconds) * 100)} %`;
}
