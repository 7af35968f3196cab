import { randomInt } from 'node:crypto';
import type { Digest, Secret } from '../../message/recipient.js';
import type { JsonValue } from '../../event/index.js';
import { SecretSealer, SecretUnreadableError } from '../../signing/index.js';
import { checkOrder, EXHAUSTED_ACTIONS } from '../model/order-check.js';
import { checkRateLimit } from '../model/rate-limit-check.js';
import { checkFilter } from '../matching/subscriber-filter.js';
import { keyHash, NO_SLOTS, type QuotaSlots } from './quota-slots.js';
import type { SubscriberRow } from './subscriber-table.js';
import type { Subscriber, SubscriberChanges, Verification } from '../model/subscriber.js';

const DIGESTS: readonly Digest[] = ['sha1', 'sha256', 'sha512'];
const VERIFICATIONS: readonly Verification[] = ['none', 'pending', 'verified'];
const MAX_REVISION = 2 ** 31;

/** The reason why a row cannot be read: the name of a malformed column, or secrets that cannot be opened. */
export type RowFault = string | SecretUnreadableError;

/** Makes rows of subscribers and back; between the two the secrets are sealed, bound to the subscriber's id. */
export class SubscriberRowMapper {
  /** @param sealer default: secrets are stored as they are */
  constructor(private readonly sealer: SecretSealer = new SecretSealer()) {}

  /** True when secrets are sealed with a key. */
  get seals(): boolean {
    return this.sealer.seals;
  }

  /** The columns of a new row. */
  toRow(subscriber: Subscriber, { ownerSlot, hostSlot }: QuotaSlots = NO_SLOTS): SubscriberRow {
    const { id, owner, key, format, createdAt } = subscriber;
    return {
      ...(this.toColumns(id, subscriber) as SubscriberRow),
      id,
      owner,
      unique_key: key,
      key_hash: key === null ? null : keyHash(owner, key),
      format,
      created_at: createdAt.getTime(),
      owner_slot: ownerSlot,
      host_slot: hostSlot,
    };
  }

  /** The columns that a change writes: the named ones, and a new revision. */
  toColumns(
    id: string,
    changes: SubscriberChanges & { readonly updatedAt: Date },
  ): Partial<SubscriberRow> {
    const { events, exclude, filter, rateLimit, secrets, metadata, ordered, enabled } = changes;
    const columns = {
      url: changes.url,
      events: events && JSON.stringify(events),
      exclude: exclude && JSON.stringify(exclude),
      filter: filter === null || filter === undefined ? filter : JSON.stringify(filter),
      rate_max: rateLimit === null ? null : rateLimit?.max,
      rate_per: rateLimit === null ? null : rateLimit?.per,
      ordered: ordered === undefined ? undefined : Number(ordered),
      on_exhausted: changes.onExhausted,
      hold_for: changes.holdFor,
      content_type: changes.contentType,
      digest: changes.digest,
      ...(secrets && this.secretsColumn(id, secrets)),
      enabled: enabled === undefined ? undefined : Number(enabled),
      verification: changes.verification,
      expires_at: changes.expiresAt === null ? null : changes.expiresAt?.getTime(),
      expired_at: changes.expiresAt === undefined ? undefined : null,
      description: changes.description,
      metadata: metadata && JSON.stringify(metadata),
      updated_at: changes.updatedAt.getTime(),
      revision: randomInt(MAX_REVISION),
    };
    return Object.fromEntries(
      Object.entries(columns).filter(([, value]) => value !== undefined),
    ) as Partial<SubscriberRow>;
  }

  secretsColumn(id: string, secrets: readonly Secret[]): Pick<SubscriberRow, 'secrets'> {
    return { secrets: this.sealer.seal(JSON.stringify(secrets), id) };
  }

  /** True when the secrets of a row are stored in the form that {@link toRow} writes. */
  isCurrent({ secrets }: SubscriberRow): boolean {
    return this.sealer.isCurrent(secrets);
  }

  /** The subscriber of a row, or why it cannot be read. */
  fromRow(row: SubscriberRow): Subscriber | RowFault {
    const { rate_max: max, rate_per: per, hold_for: holdFor } = row;
    const opened = this.#opened(row.secrets, row.id);
    if (opened instanceof SecretUnreadableError) return opened;
    const events = parsed(row.events);
    const exclude = parsed(row.exclude);
    const filter = row.filter === null ? null : parsed(row.filter);
    const rateLimit = max === null && per === null ? null : { max: max!, per: per! };
    const secrets = parsed(opened);
    const metadata = parsed(row.metadata);
    const ordered = Boolean(row.ordered);
    const onExhausted = oneOf(EXHAUSTED_ACTIONS, row.on_exhausted);
    const digest = oneOf(DIGESTS, row.digest);
    const verification = oneOf(VERIFICATIONS, row.verification);
    const createdAt = new Date(Number(row.created_at));
    const updatedAt = new Date(Number(row.updated_at));
    const expiresAt = row.expires_at === null ? null : new Date(Number(row.expires_at));
    if (!isListOf(events, isText)) return 'events';
    if (!isListOf(exclude, isText)) return 'exclude';
    if (!isFilter(filter)) return 'filter';
    if (!passes(checkRateLimit, rateLimit)) return 'rate_max';
    if (onExhausted === undefined || !passes(checkOrder, { ordered, onExhausted, holdFor })) {
      return 'on_exhausted';
    }
    if (!isListOf(secrets, isSecret)) return 'secrets';
    if (!isTexts(metadata)) return 'metadata';
    if (digest === undefined) return 'digest';
    if (verification === undefined) return 'verification';
    if (Number.isNaN(createdAt.getTime())) return 'created_at';
    if (Number.isNaN(updatedAt.getTime())) return 'updated_at';
    if (Number.isNaN(expiresAt?.getTime())) return 'expires_at';
    return Object.freeze({
      id: row.id,
      owner: row.owner,
      url: row.url,
      events,
      exclude,
      filter,
      rateLimit,
      ordered,
      onExhausted,
      holdFor,
      contentType: row.content_type,
      digest,
      secrets,
      enabled: Boolean(row.enabled),
      verification,
      expiresAt,
      key: row.unique_key,
      format: row.format,
      description: row.description,
      metadata,
      createdAt,
      updatedAt,
    });
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

function oneOf<Value extends string>(values: readonly Value[], text: string): Value | undefined {
  return values.find((value) => value === text);
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
