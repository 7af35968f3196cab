import { type SeededAnswer, SEEDED_ENDPOINTS, type SeededEndpoint } from './endpoints.js';
import type { SeededRandom } from './seeded-random.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAYS = 3;
/** The delays of Thorn's own retries. */
const RETRIES = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
];

/** A message and what became of it at each of its endpoints. */
export interface SeededMessage {
  readonly id: string;
  readonly owner: string;
  readonly event: string;
  readonly time: number;
  readonly ref: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly deliveries: readonly SeededDelivery[];
}

export interface SeededDelivery {
  readonly endpoint: SeededEndpoint;
  readonly status: 'pending' | 'succeeded' | 'failed';
  readonly attempts: readonly (SeededAnswer & { readonly startedAt: number })[];
  /** Of the next attempt, or of the end. */
  readonly at: number;
}

const TITLES = [
  'A garden in the harbour',
  'Why the night train came back',
  'Ten loaves, one oven',
  'The library that lends tools',
  'Counting swifts',
  'A bridge for toads',
  'Letters from the lighthouse',
  'How a village bought its pub',
];
const OFTEN = ['article.changed', 'article.changed', 'article.published', 'article.tagged'];

/** What happened on the blog in the three days before `now`, the oldest first: more by day than by night. */
export function historyUntil(
  now: number,
  random: SeededRandom,
  isCalm: boolean,
): readonly SeededMessage[] {
  const messages: SeededMessage[] = [];
  for (let time = now - DAYS * 24 * HOUR; ;) {
    // As if it were three in the afternoon, so that the hour of the day changes nothing.
    const hour = 23 - ((8 + Math.floor((now - time) / HOUR)) % 24);
    const [night, evening, day] = isCalm ? [14, 6, 2] : [55, 24, 10];
    const pause = hour < 6 ? night : hour < 9 || hour > 20 ? evening : day;
    time += random.between(pause * 0.3 * MINUTE, pause * 1.7 * MINUTE);
    if (time > now - 10 * SECOND) return messages;
    messages.push(...story(time, now, random, isCalm));
  }
}

/** One thing that a user did, which may be several events. */
function story(
  time: number,
  now: number,
  random: SeededRandom,
  isCalm: boolean,
): readonly SeededMessage[] {
  const owner = random.next() < 0.7 ? 'alice' : 'bob';
  const title = random.pick(TITLES);
  const article = TITLES.indexOf(title) + 1;
  const first = random.next();
  const event =
    first < 0.2 ? 'article.created' : first > 0.93 ? 'article.recommended' : random.pick(OFTEN);
  const names =
    event === 'article.published' && random.next() < 0.4 ? [event, 'article.breaking'] : [event];
  return names.map((name) => ({
    id: random.uuid(time),
    owner,
    event: name,
    time,
    ref: `https://blog.example.com/articles/${article}`,
    data: dataOf(name, title),
    deliveries: SEEDED_ENDPOINTS.filter(
      (one) =>
        one.owner === owner &&
        one.events.some((pattern) => pattern === 'article.*' || pattern === name) &&
        time < now - (one.disabledFor ?? 0) * HOUR,
    ).map((one) => deliver(one, time, now, random, isCalm)),
  }));
}

function dataOf(event: string, title: string): Readonly<Record<string, unknown>> {
  if (event === 'article.recommended') return { title, by: 'carol' };
  if (event === 'article.tagged') return { title, tags: ['news'] };
  const isPublic = event === 'article.published' || event === 'article.breaking';
  return { title, state: isPublic ? 'PUBLISHED' : 'DRAFT' };
}

function deliver(
  endpoint: SeededEndpoint,
  time: number,
  now: number,
  random: SeededRandom,
  isCalm: boolean,
): SeededDelivery {
  const attempts: (SeededAnswer & { startedAt: number })[] = [];
  const disabledAt = endpoint.disabledFor && now - endpoint.disabledFor * HOUR;
  let startedAt = time + random.between(8, 60);
  for (const delay of RETRIES) {
    if (disabledAt !== undefined && startedAt > disabledAt) {
      return { endpoint, status: 'failed', attempts, at: startedAt };
    }
    // What is due within a minute would be tried before anybody has seen it.
    if (startedAt > now - MINUTE && attempts.length > 0) break;
    const attempt = endpoint.answer(random, (now - startedAt) / HOUR, isCalm);
    attempts.push({ ...attempt, startedAt });
    const endedAt = startedAt + attempt.duration;
    if (attempt.status === 204) return { endpoint, status: 'succeeded', attempts, at: endedAt };
    startedAt = endedAt + delay;
  }
  return { endpoint, status: 'pending', attempts, at: Math.max(startedAt, now + 2 * MINUTE) };
}
