import { randomInt } from 'node:crypto';
import type { Secret } from '../../message/recipient.js';
import { SecretSealer, SecretUnreadableError } from '../../signing/index.js';
import { asJson, choice, type SubscriberRow } from '../model/field-kinds.js';
import {
  checkHold,
  FIELD_LIST,
  type FieldName,
  unlessRefused,
} from '../model/subscriber-fields.js';
import type { Subscriber, SubscriberChanges } from '../model/subscriber.js';
import { keyHash, NO_SLOTS, type QuotaSlots } from './quota-slots.js';

const MAX_REVISION = 2 ** 31;

const VERIFICATION = choice('verification', ['none', 'pending', 'verified']);
const SECRETS = asJson('secrets', isListOfSecrets);

/** The reason why a row cannot be read: the name of a malformed column, or secrets that cannot be opened. */
export type RowFault = string | SecretUnreadableError;

/** Converts subscribers to rows and rows to subscribers. A row has the secrets sealed, bound to the subscriber's id. */
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

  /** The columns that a change writes: the columns of the changed fields, and a new revision. */
  toColumns(
    id: string,
    changes: SubscriberChanges & { readonly updatedAt: Date },
  ): Partial<SubscriberRow> {
    const { secrets, verification, updatedAt } = changes;
    const named = FIELD_LIST.filter(([name]) => changes[name] !== undefined);
    return Object.assign(
      { updated_at: updatedAt.getTime(), revision: randomInt(MAX_REVISION) },
      ...named.map(([name, { toColumns }]) => toColumns(changes[name])),
      secrets && this.secretsColumn(id, secrets),
      verification && { verification },
    );
  }

  secretsColumn(id: string, secrets: readonly Secret[]): Pick<SubscriberRow, 'secrets'> {
    return { secrets: this.sealer.seal(JSON.stringify(secrets), id) };
  }

  /** True when the secrets of a row are stored in the form that {@link toRow} writes. */
  isCurrent({ secrets }: SubscriberRow): boolean {
    return this.sealer.isCurrent(secrets);
  }

  /** @throws {@link SecretUnreadableError} when the secrets of a row do not open */
  demandReadable({ id, secrets }: SubscriberRow): void {
    this.sealer.open(secrets, id);
  }

  /** The subscriber of a row, or the reason why the row cannot be read. */
  fromRow(row: SubscriberRow): Subscriber | RowFault {
    const opened = this.#opened(row.secrets, row.id);
    if (opened instanceof SecretUnreadableError) return opened;
    const secrets = SECRETS.fromRow({ ...row, secrets: opened });
    if (secrets === undefined) return 'secrets';
    const verification = VERIFICATION.fromRow(row);
    if (verification === undefined) return 'verification';
    const createdAt = new Date(Number(row.created_at));
    if (Number.isNaN(createdAt.getTime())) return 'created_at';
    const updatedAt = new Date(Number(row.updated_at));
    if (Number.isNaN(updatedAt.getTime())) return 'updated_at';
    const { id, owner, unique_key: key, format } = row;
    const fields: Partial<Record<FieldName, unknown>> = {};
    for (const [name, { column, fromRow }] of FIELD_LIST) {
      const value = fromRow(row);
      if (value === undefined) return column;
      fields[name] = value;
    }
    const subscriber: Subscriber = {
      ...(fields as Pick<Subscriber, FieldName>),
      ...{ id, owner, key, format, secrets, verification, createdAt, updatedAt },
    };
    const hasEffect = unlessRefused(() => (checkHold(subscriber), true)) === true;
    return hasEffect ? Object.freeze(subscriber) : 'on_exhausted';
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

function isListOfSecrets(value: unknown): value is readonly Secret[] {
  return Array.isArray(value) && value.every(isSecret);
}

function isSecret(value: unknown): value is Secret {
  if (typeof value !== 'object' || value === null) return false;
  const { value: secret, expiresAt } = value as Partial<Secret>;
  return typeof secret === 'string' && (expiresAt === null || typeof expiresAt === 'number');
}
