import type { EntityMetadata } from 'typeorm';
import { columnsNamed, isEntityClass } from '../../event/entity-events.js';
import type { Column } from '../rows/row-key.js';
import { propertyOf } from './entity-fields.js';
import { surveyPath } from './entity-paths.js';
import type { EntityPlan } from './entity-plan.js';
import { hiddenNames } from './hidden-columns.js';

const SECRETS =
  /\b(?:passw(?:or)?ds?|pwd|passphrase|passcode|hash|hashed|salt|secrets?|tokens?|otp|totp|cvv|cvc|credentials?|api ?keys?|(?:private|access|signing|encryption) keys?|(?:recovery|backup) codes?|(?:password|token) ?hash)\b/;
const HOLDS_TEXT = /char|text|string|clob|blob|binary|bytea|json|array|uuid/;

/** Columns of an entity that events may show, and that are named like secrets. */
export interface SecretColumns {
  readonly entity: string;
  /** Their properties: of an embedded column the embedded object. */
  readonly properties: readonly string[];
}

/**
 * Finds the columns that are named like secrets, among those that the payloads of events are given and neither `hidden` nor
 * `notSecret` names. Which columns a payload sends cannot be known: it is a function.
 */
export function secretColumns(plans: readonly EntityPlan[]): readonly SecretColumns[] {
  const shown = new Set(plans.flatMap(shownEntities));
  return [...shown]
    .map((metadata) => ({ entity: metadata.name, properties: secretsOf(metadata) }))
    .filter(({ properties }) => properties.length > 0);
}

/** The entities whose rows payloads are given. */
function shownEntities({ metadata, events }: EntityPlan): EntityMetadata[] {
  return events
    .filter(({ options }) => options.payload !== undefined)
    .flatMap(({ joins, relation }) => [
      metadata,
      ...joins.map((path) => surveyPath(path, metadata).relations.at(-1)!.inverseEntityMetadata),
      ...(relation === undefined ? [] : [relation.inverseEntityMetadata]),
    ]);
}

function secretsOf(metadata: EntityMetadata): string[] {
  const { target, columns } = metadata;
  const judged = new Set([
    ...hiddenNames(metadata),
    ...(isEntityClass(target) ? columnsNamed(target, 'notSecret') : []),
  ]);
  const secrets = columns.filter((column) => column.isSelect && isNamedLikeSecret(column));
  return [...new Set(secrets.map(propertyOf))].filter((name) => !judged.has(name));
}

/** Numbers, dates and flags are not secrets: `passwordChangedAt`, `tokenCount`. Nor is the id of one. */
function isNamedLikeSecret({ type, isVirtual, propertyName, databaseName }: Column): boolean {
  const holdsText =
    typeof type === 'string'
      ? HOLDS_TEXT.test(type)
      : type === String || (type as unknown) === Buffer;
  const words = [propertyName, databaseName].map(wordsOf).filter((name) => !/\bids?$/.test(name));
  return holdsText && !isVirtual && words.some((name) => SECRETS.test(name));
}

/** `apiKey`, `api_key` and `APIKey` as `api key`. */
function wordsOf(name: string): string {
  return name
    .replaceAll(/([a-z\d])([A-Z])|([A-Z])(?=[A-Z][a-z])/g, '$1$3 $2')
    .replaceAll(/[^A-Za-z]+/g, ' ')
    .trim()
    .toLowerCase();
}
