import axios from 'axios';
import { Agent, type Dispatcher } from 'undici';
import { SystemClock } from '../lib/common/clock.js';
import {
  type Attempt,
  Deliverer,
  PublicRecipientPolicy,
  UndiciHttpClient,
} from '../lib/delivery/index.js';
import { Codecs } from '../lib/message/codecs.js';
import { MessageFactory } from '../lib/message/message.factory.js';
import type { Recipient } from '../lib/message/recipient.js';
import { generateSecret, StandardWebhookSigner } from '../lib/signing/index.js';
import { type Candidate, median, rates, ratio, reportRatio } from './harness.js';
import { type Receiver, startReceiver } from './receiver.js';

const SUBSCRIBERS = 1000;
const SCHEDULE = { warmUp: 3000, turn: 1500, rounds: 9, inFlight: 64 };

/** One request: the default client and deliverer against `axios.post` and against bare undici. */
export async function run(): Promise<void> {
  const receiver = await startReceiver();
  const plain = deliverer();
  const customised = deliverer();
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
    console.error(
      `receiver: ${receiver.kind}, busy ${busy()} of the time under the default client`,
    );
  } finally {
    await Promise.all([plain.client.close(), customised.client.close(), agent.destroy()]);
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

function deliverer() {
  const policy = new PublicRecipientPolicy({ allowedPorts: 'any', allowCidrs: ['127.0.0.1/32'] });
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
