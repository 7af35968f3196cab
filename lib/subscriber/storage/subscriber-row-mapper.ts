import { randomInt } from 'node:crypto';
import type { Secret } from '../../message/recipient.js';
import { SecretSealer, SecretUnreadableError } from '../../signing/index.js';
import { withoutExpired } from '../service/secret-rotation.js';
import { asJson, choice, type StoredField, type SubscriberRow } from '../model/field-kinds.js';
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

/** The fields whose column is sealed. */
const SEALED = [
  ['secrets', SECRETS] as const,
  ...FIELD_LIST.filter(([, { isSealed }]) => isSealed),
] as readonly (readonly [FieldName | 'secrets', StoredField])[];

/** The reason why a row cannot be read: the name of a malformed column, or secrets that cannot be opened. */
export type RowFault = string | SecretUnreadableError;

/** Changes, and when they are made. */
type DatedChanges = SubscriberChanges & Pick<Subscriber, 'updatedAt'>;

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
    const { verification, updatedAt } = changes;
    const named = FIELD_LIST.filter(([name]) => changes[name] !== undefined);
    return Object.assign(
      { updated_at: updatedAt.getTime(), revision: randomInt(MAX_REVISION) },
      ...named.map(([name, { toColumns }]) => toColumns(changes[name])),
      this.sealedColumns(id, changes),
      verification && { verification },
    );
  }

  /** The columns of {@link SEALED} that some fields of a subscriber have. */
  sealedColumns(id: string, fields: Partial<Subscriber>): Partial<SubscriberRow> {
    const columns = SEALED.map(([name, { toColumns }]) =>
      fields[name] === undefined ? {} : toColumns(fields[name]),
    );
    const texts = Object.entries(Object.assign({}, ...columns) as Record<string, string | null>);
    return Object.fromEntries(
      texts.map(([column, text]) => [column, text === null ? null : this.sealer.seal(text, id)]),
    );
  }

  /** The names of the fields to which a change gives other values than the row has. */
  changedFields(row: SubscriberRow, changes: DatedChanges): readonly string[] {
    const opened = this.#opened(row);
    const before = opened instanceof SecretUnreadableError ? row : opened;
    const names: string[] = FIELD_LIST.filter(
      ([name, { toColumns }]) =>
        changes[name] !== undefined && !isIn(before, toColumns(changes[name])),
    ).map(([name]) => name);
    const { verification = row.verification } = changes;
    if (this.#changesSecret(row, changes)) names.push('secret');
    if (verification !== row.verification) names.push('verification');
    return names;
  }

  /** A secret that has expired is removed without being a change. */
  #changesSecret(row: SubscriberRow, { secrets, updatedAt }: DatedChanges): boolean {
    if (secrets === undefined) return false;
    const before = this.fromRow(row);
    if (isFault(before)) return true;
    const isAmong = (some: readonly Secret[], one: Secret) =>
      some.some(({ value }) => value === one.value);
    return (
      secrets.some((one) => !isAmong(before.secrets, one)) ||
      withoutExpired(before.secrets, updatedAt.getTime()).some((one) => !isAmong(secrets, one))
    );
  }

  /** True when the secrets of a row are stored in the form that {@link toRow} writes. */
  isCurrent(row: SubscriberRow): boolean {
    return sealedTexts(row).every(([, text]) => this.sealer.isCurrent(text));
  }

  /**
   * @param changes the fields that are written next, whatever the row has in them
   * @throws {@link SecretUnreadableError} when other secrets of a row do not open
   */
  demandReadable(row: SubscriberRow, changes: SubscriberChanges): void {
    for (const [name, text] of sealedTexts(row)) {
      if (changes[name] === undefined) this.sealer.open(text, row.id);
    }
  }

  /** The subscriber of a row, or the reason why the row cannot be read. */
  fromRow(stored: SubscriberRow): Subscriber | RowFault {
    const row = this.#opened(stored);
    if (row instanceof SecretUnreadableError) return row;
    const secrets = SECRETS.fromRow(row);
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

  #opened(row: SubscriberRow): SubscriberRow | SecretUnreadableError {
    try {
      const texts = sealedTexts(row).map(([, text, column]) => [
        column,
        this.sealer.open(text, row.id),
      ]);
      return { ...row, ...Object.fromEntries(texts) };
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

/** The columns of {@link SEALED} that are not null, with the fields that they belong to. */
function sealedTexts(row: SubscriberRow) {
  return SEALED.flatMap(([name, { column }]) => {
    const text = row[column];
    return text === null ? [] : [[name, text as string, column] as const];
  });
}

/** True when a row has these values already. Drivers answer numbers and booleans in several types. */
function isIn(row: SubscriberRow, columns: Partial<SubscriberRow>): boolean {
  return (Object.keys(columns) as (keyof SubscriberRow)[]).every((column) => {
    const [before, after] = [row[column], columns[column]];
    return typeof after === 'number' && before !== null
      ? Number(before) === after
      : before === after;
  });
}

function isListOfSecrets(value: unknown): value is readonly Secret[] {
  return Array.isArray(value) && value.every(isSecret);
}

function isSecret(value: unknown): value is Secret {
  if (typeof value !== 'object' || value === null) return false;
  const { value: secret, expiresAt } = value as Partial<Secret>;
  return typeof secret === 'string' && (expiresAt === null || typeof expiresAt === 'number');
}
