import { randomInt } from 'node:crypto';
import type { Digest, Secret } from '../message/recipient.js';
import type { ThornSubscriber } from './subscriber.entity.js';
import type { Subscriber, SubscriberChanges } from './subscriber.js';

const DIGESTS: readonly string[] = ['sha1', 'sha256', 'sha512'] satisfies Digest[];
const MAX_REVISION = 2 ** 31;

/** The columns of a new row. */
export function toRow(subscriber: Subscriber): ThornSubscriber {
  const { id, owner, createdAt, updatedAt, ...changes } = subscriber;
  return { id, owner, createdAt, ...toColumns({ ...changes, updatedAt }) } as ThornSubscriber;
}

/** The columns that a change writes: the named ones, and a new revision. */
export function toColumns(
  changes: SubscriberChanges & { readonly updatedAt: Date },
): Partial<ThornSubscriber> {
  const { events, secrets, metadata, ...plain } = changes;
  return {
    ...plain,
    ...(events && { events: JSON.stringify(events) }),
    ...(secrets && { secrets: JSON.stringify(secrets) }),
    ...(metadata && { metadata: JSON.stringify(metadata) }),
    revision: randomInt(MAX_REVISION),
  };
}

/**
 * The subscriber of a row.
 *
 * @returns the name of the malformed column instead, when somebody has edited the row by hand
 */
export function fromRow(row: ThornSubscriber): Subscriber | string {
  const { events, secrets, metadata, digest, revision: _, ...plain } = row;
  const subscriber = {
    ...plain,
    digest: digest as Digest,
    events: parsed(events),
    secrets: parsed(secrets),
    metadata: parsed(metadata),
  };
  if (!isListOf(subscriber.events, isText)) return 'events';
  if (!isListOf(subscriber.secrets, isSecret)) return 'secrets';
  if (!isTexts(subscriber.metadata)) return 'metadata';
  if (!DIGESTS.includes(digest)) return 'digest';
  if (Number.isNaN(plain.createdAt.getTime())) return 'created_at';
  if (Number.isNaN(plain.updatedAt.getTime())) return 'updated_at';
  return Object.freeze({
    ...subscriber,
    events: subscriber.events,
    secrets: subscriber.secrets,
    metadata: subscriber.metadata,
  });
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function isListOf<Item>(
  value: unknown,
  isItem: (item: unknown) => item is Item,
): value is readonly Item[] {
  return Array.isArray(value) && value.every(isItem);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isSecret(value: unknown): value is Secret {
  if (typeof value !== 'object' || value === null) return false;
  const { value: text, expiresAt } = value as Partial<Secret>;
  return isText(text) && (expiresAt === null || typeof expiresAt === 'number');
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every(isText)
  );
}
