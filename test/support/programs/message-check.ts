import { canonical, type ExpectedMessage } from './expected-messages.js';
import type { Arrival } from './faulty-host.js';
import { REJECTED } from './subscribers.js';

/** A subscriber of a program. */
export interface CheckedSubscriber {
  readonly name: string;
  /** Whether it gets the messages of a key one after another, and what a rejected one does to its key. */
  readonly order: 'none' | 'skip' | 'hold';
  /** Tells whether it subscribes to the event. */
  hears(event: string): boolean;
}

/** What is wrong with what a subscriber received, in one line each. */
export interface MessageFaults {
  /** Committed, and neither accepted nor rejected for good. */
  readonly lost: readonly string[];
  /** Received, and not committed so. */
  readonly ghosts: readonly string[];
  /** Received before an earlier one of its key. */
  readonly overtakes: readonly string[];
  /** A message that two requests told in two ways. */
  readonly changed: readonly string[];
}

/** A message as its requests told it. */
interface Received extends Pick<Arrival, 'id' | 'event' | 'key' | 'sequence'> {
  readonly data: string;
  readonly isSettled: boolean;
}

/** Compares what a subscriber received with what the database committed. */
export function checkMessages(
  { name, order, hears }: CheckedSubscriber,
  all: readonly ExpectedMessage[],
  arrivals: readonly Arrival[],
  ordersRowsAlone: boolean,
): MessageFaults {
  const expected = all.filter(({ event }) => hears(event));
  const { messages, changed } = messagesOf(arrivals);
  const settled = messages.filter(({ isSettled }) => isSettled);
  const { lost, ghosts } = difference(expected, messages, settled);
  const keys = new Set(messages.flatMap(({ key }) => (key === null ? [] : [key])));
  const overtakes = [...keys].flatMap((key) => {
    const isOfKey = (one: { readonly key: string | null }) => one.key === key;
    const own = messages.filter(isOfKey);
    const bySequence = own.toSorted((one, other) => one.sequence! - other.sequence!);
    const wrong = [
      // Where something is missing or too much, places do not tell.
      ...(lost.length + ghosts.length > 0
        ? []
        : outOfOrder(expected.filter(isOfKey), bySequence, ordersRowsAlone)),
      ...(order === 'none' ? [] : overtaken(arrivals.filter(isOfKey), order)),
    ];
    return wrong.map((what) => `${name} ${key}: ${what}`);
  });
  return {
    lost: lost.map((message) => `${name}: ${textOf(message)}`),
    ghosts: ghosts.map((message) => `${name}: ${textOf(message)}`),
    overtakes,
    changed: changed.map((id) => `${name}: ${id}`),
  };
}

function messagesOf(arrivals: readonly Arrival[]) {
  const byId = new Map<string, Received & { text: string }>();
  const changed: string[] = [];
  for (const { id, event, key, sequence, body, status } of arrivals) {
    const isSettled = status === 204 || status === REJECTED;
    const known = byId.get(id);
    const text = [event, key, sequence, body].join(' ');
    if (known !== undefined && known.text !== text) changed.push(`${known.text} and ${text}`);
    const { data } = JSON.parse(body) as { data: unknown };
    const message = { id, event, key, sequence, data: canonical(data), text };
    byId.set(id, { ...message, isSettled: isSettled || known?.isSettled === true });
  }
  return { messages: [...byId.values()], changed };
}

/** Each message tells one change: a second one of the same is a ghost. */
function difference(
  expected: readonly ExpectedMessage[],
  messages: readonly Received[],
  settled: readonly Received[],
) {
  const told = matching(expected, settled);
  const meant = new Set(matching(expected, messages).values());
  return {
    lost: expected.filter((one) => !told.has(one)),
    ghosts: messages.filter((message) => !meant.has(message)),
  };
}

/** Gives as many changes as possible a message each that tells it: a removal may be told in several ways. */
function matching(
  expected: readonly ExpectedMessage[],
  messages: readonly Received[],
): ReadonlyMap<ExpectedMessage, Received> {
  const pairs = new Map<ExpectedMessage, Received>();
  const place = (message: Received, tried: Set<ExpectedMessage>): boolean =>
    expected.some((one) => {
      if (tried.has(one) || !fits(one, message)) return false;
      tried.add(one);
      const other = pairs.get(one);
      // The other one may find another place.
      if (other !== undefined && !place(other, tried)) return false;
      pairs.set(one, message);
      return true;
    });
  for (const message of messages) place(message, new Set());
  return pairs;
}

function fits({ event, key, data }: ExpectedMessage, message: Received): boolean {
  return event === message.event && key === message.key && data.includes(message.data);
}

/** Compares messages of one key with commits: those of one commit may come in any order. */
function outOfOrder(
  expected: readonly ExpectedMessage[],
  messages: readonly Received[],
  ordersRowsAlone: boolean,
): string[] {
  const rest = [...expected];
  for (const message of messages) {
    const isNext = ordersRowsAlone
      ? (one: ExpectedMessage) => rowOf(one) === rowOf(message)
      : () => true;
    const next = rest.find(isNext);
    const at = rest.findIndex((one) => one.commit === next?.commit && fits(one, message));
    if (at < 0) {
      const meant = next === undefined ? 'nothing' : textOf(next);
      return [`number ${message.sequence} is ${textOf(message)} in place of ${meant}`];
    }
    rest.splice(at, 1);
  }
  return [];
}

function rowOf({ event, data }: Pick<ExpectedMessage, 'event' | 'data'> | Received): string {
  const { id, nonce } = JSON.parse([data].flat()[0]!) as { id?: number; nonce?: string };
  return `${event.split('.')[0]} ${id ?? nonce}`;
}

/** Finds requests of one key that came before an earlier message was settled, or after a later one. */
function overtaken(arrivals: readonly Arrival[], order: 'skip' | 'hold'): string[] {
  const faults: string[] = [];
  let last: Arrival | undefined;
  const settled = new Set<number>();
  for (const arrival of arrivals) {
    const { sequence, status } = arrival;
    if (last !== undefined && sequence! < last.sequence!) {
      faults.push(`${sequence} came after ${last.sequence}`);
    }
    if (last !== undefined && sequence! > last.sequence! && !settled.has(last.sequence!)) {
      faults.push(`${sequence} came before ${last.sequence} was settled`);
    }
    if (status === 204 || (status === REJECTED && order === 'skip')) settled.add(sequence!);
    last = arrival;
  }
  return faults;
}

function textOf(message: ExpectedMessage | Received): string {
  const at = 'commit' in message ? `commit ${message.commit}` : message.id;
  return `${message.event} ${message.key} ${[message.data].flat().join(' or ')} (${at})`;
}
