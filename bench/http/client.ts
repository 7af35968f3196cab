import axios from 'axios';
import { Agent, type Dispatcher } from 'undici';
import { SystemClock } from '../../lib/common/time.js';
import {
  type Attempt,
  Deliverer,
  PublicRecipientPolicy,
  RecipientPolicy,
  UndiciHttpClient,
} from '../../lib/delivery/index.js';
import { Codecs } from '../../lib/message/codecs.js';
import { MessageFactory } from '../../lib/message/message.factory.js';
import type { Recipient } from '../../lib/message/recipient.js';
import { generateSecret, StandardWebhookSigner } from '../../lib/signing/index.js';
import type { ContenderModule, ForkedCandidate } from '../contenders/forked.js';
import type { Candidate } from '../harness.js';
import { DATA } from '../outbox/contender.js';

const SUBSCRIBERS = 1000;

/** A way to make one request. */
export type ClientName = 'axios.post' | 'dispatch' | 'default' | 'interceptors';

/** What makes requests to the receiver on this port of this machine. */
export function client(name: ClientName, port: number): ForkedCandidate {
  if (name === 'axios.post') return { name, once: axiosPost(port), stop: async () => undefined };
  if (name === 'dispatch') {
    const agent = new Agent();
    return { name, once: bareDispatch(agent, port), stop: () => agent.destroy() };
  }
  const { client: undici, deliverer } = guardedDeliverer();
  if (name === 'interceptors') undici.axios.interceptors.request.use((config) => config);
  return { name, once: deliveries(deliverer, port), stop: () => undici.close() };
}

/** {@link client} for a process of its own. */
export const requests: ContenderModule<Parameters<typeof client>> = {
  url: import.meta.url,
  open: client,
};

const messages = new MessageFactory(new SystemClock(), new Codecs());

function article() {
  return messages.create({
    event: 'article.published',
    ref: 'https://example.com/articles/17',
    owner: '42',
    data: { id: 17, title: 'A title of a usual length', state: 'PUBLISHED', tags: ['a', 'b'] },
  });
}

/** A hand-written sender: neither signature nor deadline nor policy. */
function axiosPost(port: number): Candidate['once'] {
  const url = `http://127.0.0.1:${port}/hooks`;
  const payload: unknown = JSON.parse(article().json.toString());
  return () => axios.post(url, payload);
}

function bareDispatch(agent: Agent, port: number): Candidate['once'] {
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
export class AllowAll extends RecipientPolicy {
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

export function guardedDeliverer(policy: RecipientPolicy = guard()) {
  const client = new UndiciHttpClient(policy);
  const signer = new StandardWebhookSigner();
  return { client, deliverer: new Deliverer(client, signer, new SystemClock()) };
}

/** One message to many subscribers, each with a URL and a secret of its own. */
export function deliveries(deliverer: Deliverer, port: number): Candidate['once'] {
  const message = article();
  const recipients = Array.from({ length: SUBSCRIBERS }, (_, number) =>
    recipientOf(`http://127.0.0.1:${port}/hooks/${number}?source=thorn`, number),
  );
  const ids = recipients.map((_, number) => ({ id: deliveryId(number) }));
  let count = 0;
  return () => {
    const number = count++ % SUBSCRIBERS;
    return deliverer.attempt(ids[number]!, message, recipients[number]!).then(demandSuccess);
  };
}

/** Signed requests of one message to each of these URLs, without anything that keeps them. */
export function signedClient(name: string, urls: readonly string[]): ForkedCandidate {
  const { client: undici, deliverer } = guardedDeliverer(
    new PublicRecipientPolicy({ allowedPorts: 'any', allowCidrs: ['127.0.0.0/8'] }),
  );
  const message = messages.create({ event: 'order.placed', data: DATA });
  const pairs = urls.map((url, place) => ({
    recipient: recipientOf(url, place),
    id: deliveryId(place),
  }));
  const once = () =>
    Promise.all(
      pairs.map(({ recipient, id }) =>
        deliverer.attempt({ id, number: 1 }, message, recipient).then(demandSuccess),
      ),
    );
  return { name, once, stop: () => undici.close() };
}

/** {@link signedClient} for a process of its own. */
export const signedRequests: ContenderModule<Parameters<typeof signedClient>> = {
  url: import.meta.url,
  open: signedClient,
};

function recipientOf(url: string, place: number): Recipient {
  return {
    id: `sub_01890a5d-ac96-774b-bcce-${String(place).padStart(12, '0')}`,
    url,
    contentType: 'application/json',
    digest: 'sha256',
    secrets: [{ value: generateSecret(), expiresAt: null }],
  };
}

function deliveryId(place: number): string {
  return `dlv_01890a5d-ac96-774b-bcce-${String(place).padStart(12, '0')}`;
}

function demandSuccess(attempt: Attempt): void {
  if (attempt.outcome !== 'succeeded') throw new Error(attempt.error?.message ?? 'no success');
}
