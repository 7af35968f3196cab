import { randomInt } from 'node:crypto';
import { BoundedCache } from '../../common/bounded-cache.js';
import type { Digest, Secret } from '../../message/recipient.js';
import type { JsonValue } from '../../event/index.js';
import { SecretSealer, SecretUnreadableError } from '../../signing/index.js';
import { checkOrder } from '../model/order-check.js';
import { checkRateLimit } from '../model/rate-limit-check.js';
import { checkFilter } from '../matching/subscriber-filter.js';
import { NO_PLACES, type QuotaSlots } from './quota-slots.js';
import type { ThornSubscriber } from './subscriber.entity.js';
import type { Subscriber, SubscriberChanges, Verification } from '../model/subscriber.js';

const DIGESTS: readonly string[] = ['sha1', 'sha256', 'sha512'] satisfies Digest[];
const VERIFICATIONS: readonly string[] = ['none', 'pending', 'verified'] satisfies Verification[];
const MAX_REVISION = 2 ** 31;
const MOST_SHARED = 20_000;
const NO_METADATA = Object.freeze({});

/** The reason why a row cannot be read: the name of a malformed column, or secrets that cannot be opened. */
export type RowFault = string | SecretUnreadableError;

/** Makes rows of subscribers and back; between the two the secrets are sealed, bound to the subscriber's id. */
export class SubscriberRowMapper {
  readonly #texts = new BoundedCache<string, string>(MOST_SHARED);
  readonly #lists = new BoundedCache<string, readonly string[]>(MOST_SHARED);

  /** @param sealer default: secrets are stored as they are */
  constructor(private readonly sealer: SecretSealer = new SecretSealer()) {}

  /** True when secrets are sealed with a key. */
  get seals(): boolean {
    return this.sealer.seals;
  }

  /** The columns of a new row. */
  toRow(subscriber: Subscriber, places: QuotaSlots = NO_PLACES): ThornSubscriber {
    const { id, owner, createdAt, updatedAt, ...changes } = subscriber;
    const columns = this.toColumns(id, { ...changes, updatedAt });
    return { id, owner, createdAt, ...columns, ...places } as ThornSubscriber;
  }

  /** The columns that a change writes: the named ones, and a new revision. */
  toColumns(
    id: string,
    changes: SubscriberChanges & { readonly updatedAt: Date },
  ): Partial<ThornSubscriber> {
    const { events, exclude, filter, rateLimit, secrets, metadata, ...plain } = changes;
    return {
      ...plain,
      ...(events && { events: JSON.stringify(events) }),
      ...(exclude && { exclude: JSON.stringify(exclude) }),
      ...(filter !== undefined && { filter: filter === null ? null : JSON.stringify(filter) }),
      ...(rateLimit !== undefined && {
        rateMax: rateLimit?.max ?? null,
        ratePer: rateLimit?.per ?? null,
      }),
      ...(secrets && this.secretsColumn(id, secrets)),
      ...(metadata && { metadata: JSON.stringify(metadata) }),
      revision: randomInt(MAX_REVISION),
    };
  }

  secretsColumn(id: string, secrets: readonly Secret[]): Pick<ThornSubscriber, 'secrets'> {
    return { secrets: this.sealer.seal(JSON.stringify(secrets), id) };
  }

  /** True when the secrets of a row are stored in the form that {@link toRow} writes. */
  isCurrent({ secrets }: ThornSubscriber): boolean {
    return this.sealer.isCurrent(secrets);
  }

  /** The subscriber of a row, or why it cannot be read. */
  fromRow(row: ThornSubscriber): Subscriber | RowFault {
    const { digest, verification, rateMax, ratePer, createdAt, updatedAt } = row;
    const { ordered, onExhausted, holdFor } = row;
    const opened = this.#opened(row.secrets, row.id);
    if (opened instanceof SecretUnreadableError) return opened;
    const [events, exclude] = [this.#patterns(row.events), this.#patterns(row.exclude)];
    const filter = row.filter === null ? null : parsed(row.filter);
    const rateLimit =
      rateMax === null && ratePer === null ? null : { max: rateMax!, per: ratePer! };
    const secrets = parsed(opened);
    const metadata = row.metadata === '{}' ? NO_METADATA : parsed(row.metadata);
    if (events === null) return 'events';
    if (exclude === null) return 'exclude';
    if (!isFilter(filter)) return 'filter';
    if (!passes(checkRateLimit, rateLimit)) return 'rate_max';
    if (!passes(checkOrder, { ordered, onExhausted, holdFor })) return 'on_exhausted';
    if (!isListOf(secrets, isSecret)) return 'secrets';
    if (!isTexts(metadata)) return 'metadata';
    if (!DIGESTS.includes(digest)) return 'digest';
    if (!VERIFICATIONS.includes(verification)) return 'verification';
    if (Number.isNaN(createdAt.getTime())) return 'created_at';
    if (Number.isNaN(updatedAt.getTime())) return 'updated_at';
    return Object.freeze({
      id: row.id,
      owner: row.owner,
      url: row.url,
      events,
      exclude,
      filter,
      rateLimit,
      ordered,
      onExhausted: this.#shared(onExhausted) as Subscriber['onExhausted'],
      holdFor,
      contentType: this.#shared(row.contentType),
      digest: this.#shared(digest) as Digest,
      secrets,
      enabled: row.enabled,
      verification: this.#shared(verification) as Verification,
      description: row.description,
      metadata,
      createdAt,
      updatedAt,
    });
  }

  /** The patterns of a column, or null when they are malformed. */
  #patterns(json: string): readonly string[] | null {
    const known = this.#lists.get(json);
    if (known !== undefined) return known;
    const found = parsed(json);
    if (!isListOf(found, isText)) return null;
    const list = Object.freeze(found.map((text) => this.#shared(text)));
    this.#lists.set(json, list);
    return list;
  }

  /** The same text that other rows have, so that each is in memory once. */
  #shared(text: string): string {
    const known = this.#texts.get(text);
    if (known === undefined) this.#texts.set(text, text);
    return known ?? text;
  }

  #opened(stored: string, id: string): string | SecretUnreadableError {
    try {
      return this.sealer.open(stored, id);
    } catch (error) {
      if (error instanceof SecretUnreadableError) return error;
      throw error;
    }
  }
}

/** True when {@link SubscriberRowMapper.fromRow} could not read the row. */
export function isFault(result: Subscriber | RowFault): result is RowFault {
  return typeof result === 'string' || result instanceof SecretUnreadableError;
}

/** A fault as a sentence for the operator's log. */
export function describeFault(fault: RowFault): string {
  return typeof fault === 'string'
    ? `the column "${fault}" of its row in thorn_subscribers is malformed. Correct it or delete the row.`
    : fault.message;
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

function isFilter(value: unknown): value is JsonValue | null {
  return passes(checkFilter, value);
}

function passes<Value>(check: (value: Value) => unknown, value: Value): boolean {
  try {
    check(value);
    return true;
  } catch {
    return false;
  }
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
