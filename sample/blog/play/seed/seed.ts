import { ThornAttempt, ThornDelivery, ThornMessage, ThornSubscriber } from 'nestjs-thorn/typeorm';
import type { DataSource } from 'typeorm';
import { SEEDED_ENDPOINTS, SEEDED_SECRET, type SeededEndpoint } from './endpoints.js';
import { historyUntil, type SeededDelivery, type SeededMessage } from './history.js';
import { SeededRandom } from './seeded-random.js';

const DAY = 24 * 60 * 60_000;
const ROWS = 50;
const NO_ANSWER = 'The endpoint did not answer in time';

/**
 * Fills the tables with three days of two users: endpoints that succeed, fail, are slow and are disabled. The same at any
 * time, but for the times themselves.
 *
 * @param urls of the endpoints, with `{name}` for their names
 * @param isCalm true: more is sent, little of it fails, and one endpoint has just begun to
 */
export async function seed(dataSource: DataSource, urls: string, isCalm = false): Promise<void> {
  const random = new SeededRandom(7);
  const now = Date.now() - (Date.now() % 60_000);
  const urlOf = ({ name }: SeededEndpoint) => urls.replaceAll('{name}', name);
  const ids = new Map(SEEDED_ENDPOINTS.map((one) => [one, random.uuid(now - 40 * DAY)]));
  const messages = historyUntil(now, random, isCalm);
  const rows = messages.flatMap((message) =>
    message.deliveries.map((one) => deliveryRows(message, one, random, ids, urlOf)),
  );
  const save = async (entity: Parameters<DataSource['getRepository']>[0], all: object[]) => {
    for (let at = 0; at < all.length; at += ROWS) {
      await dataSource.manager.insert(entity, all.slice(at, at + ROWS));
    }
  };
  await save(
    ThornSubscriber,
    SEEDED_ENDPOINTS.map((one, at) => subscriberRow(one, at, ids, urlOf, now)),
  );
  await save(ThornMessage, messages.map(messageRow));
  await save(
    ThornDelivery,
    rows.map(({ delivery }) => delivery),
  );
  await save(
    ThornAttempt,
    rows.flatMap(({ attempts }) => attempts),
  );
  await save('ThornHealth', healthRows(messages, ids));
}

type Ids = ReadonlyMap<SeededEndpoint, string>;

function subscriberRow(
  endpoint: SeededEndpoint,
  at: number,
  ids: Ids,
  urlOf: (one: SeededEndpoint) => string,
  now: number,
) {
  const { owner, description, events, ordered = false, rateLimit, disabledFor } = endpoint;
  const createdAt = now - (40 - at * 5) * DAY;
  return {
    id: `sub_${ids.get(endpoint)}`,
    owner: `user-${owner}`,
    url: urlOf(endpoint),
    events: JSON.stringify(events),
    exclude: '[]',
    filter: null,
    rateMax: rateLimit?.max ?? null,
    ratePer: rateLimit?.per ?? null,
    ordered,
    onExhausted: 'skip',
    holdFor: null,
    contentType: 'application/json',
    digest: 'sha256',
    secrets: JSON.stringify([{ value: SEEDED_SECRET, expiresAt: null }]),
    enabled: disabledFor === undefined,
    verification: 'none',
    description,
    metadata: '{}',
    revision: at + 1,
    ownerSlot: null,
    hostSlot: null,
    createdAt,
    updatedAt: createdAt,
  };
}

function messageRow({ id, event, time, owner, ref, data }: SeededMessage) {
  const timestamp = new Date(time).toISOString();
  return {
    id,
    event,
    time,
    owner: `user-${owner}`,
    audience: 'owner',
    ref,
    headers: '{}',
    settings: '{}',
    recipients: [],
    body: { type: event, timestamp, ref, owner: `user-${owner}`, data },
  };
}

function deliveryRows(
  message: SeededMessage,
  { endpoint, status, attempts: [first, ...others], at }: SeededDelivery,
  random: SeededRandom,
  ids: Ids,
  urlOf: (one: SeededEndpoint) => string,
) {
  // Deliveries of a message have ids that begin as the message's own.
  const id = `${message.id.slice(0, 18)}-8${random.uuid(0).slice(20)}`;
  const isPending = status === 'pending';
  const { status: responseStatus, ...shared } = attemptColumns(first!);
  return {
    delivery: {
      id,
      messageId: message.id,
      subscriberId: ids.get(endpoint),
      dueAt: isPending ? at : null,
      attemptedAt: others.at(-1)?.startedAt ?? null,
      finishedAt: isPending ? null : at,
      attempts: others.length + 1,
      throttled: 0,
      requests: others.length + 1,
      event: message.event,
      status,
      reason: status === 'failed' ? 'disabled' : null,
      host: isPending ? new URL(urlOf(endpoint)).host : null,
      responseStatus,
      ...shared,
    },
    attempts: others.map((one, index) => ({
      deliveryId: id,
      number: index + 2,
      ...attemptColumns(one),
    })),
  };
}

function attemptColumns({ startedAt, duration, status, body }: SeededDelivery['attempts'][number]) {
  return {
    startedAt,
    duration,
    status,
    errorCode: status === null ? 'timeout' : null,
    errorMessage: status === null ? NO_ANSWER : null,
    response: body ?? null,
    address: '127.0.0.1',
    answerHeaders:
      status === 503 ? '{"content-type":"application/json","retry-after":"120"}' : null,
  };
}

/** An endpoint whose latest attempts have all failed. */
function healthRows(messages: readonly SeededMessage[], ids: Ids): object[] {
  return SEEDED_ENDPOINTS.filter((one) => one.name === 'partner').map((endpoint) => {
    const waiting = messages
      .flatMap(({ deliveries }) => deliveries)
      .filter((one) => one.endpoint === endpoint && one.status === 'pending');
    return {
      subscriberId: `sub_${ids.get(endpoint)}`,
      failingSince: Math.min(...waiting.map(({ attempts }) => attempts[0]!.startedAt)),
      failingMessages: waiting.length,
      announced: 0,
      token: 'seed',
    };
  });
}
