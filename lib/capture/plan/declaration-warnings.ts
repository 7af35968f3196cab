import { type TablePlan, tablesOf } from './event-plan.js';
import { type Column, propertyOf, type RowTable } from '../table/row-table.js';
import { concealedNames } from './hidden-columns.js';

/** Events whose data is an empty object, because no payload is declared. */
export interface EventsWithoutData {
  /** The table, or its entity. */
  readonly entity: string;
  readonly events: readonly string[];
}

export function eventsWithoutData(plans: readonly TablePlan[]): readonly EventsWithoutData[] {
  return plans
    .map(({ table, events }) => {
      const empty = events.filter(
        ({ options }) => options.payload === undefined && options.requestData === undefined,
      );
      return { entity: table.name, events: [...new Set(empty.map(({ name }) => name))] };
    })
    .filter(({ events }) => events.length > 0);
}

/**
 * The warning that the log gives about them.
 *
 * @param declaration names the class or the table that has no payload
 * @param fix the code that declares one
 */
export function noDataWarning(
  { events }: EventsWithoutData,
  { declaration, fix }: { readonly declaration: string; readonly fix: string },
): string {
  return (
    `The data of ${events.join(', ')} is an empty object: ${declaration} has no payload. Name what subscribers may see: ` +
    `${fix}. If they may see nothing, write payload: () => ({}).`
  );
}

const SECRETS =
  /\b(?:passw(?:or)?ds?|pwd|passphrase|passcode|hash|hashed|salt|secrets?|tokens?|otp|totp|cvv|cvc|credentials?|api ?keys?|(?:private|access|signing|encryption) keys?|(?:recovery|backup) codes?|(?:password|token) ?hash)\b/;
const HOLDS_TEXT = /char|text|string|clob|blob|binary|bytea|json|array|uuid/;

/** Columns of a table that events may show, and that are named like secrets. */
interface SecretColumns {
  /** The table, or its entity. */
  readonly entity: string;
  /** Their properties: of an embedded column the embedded object. */
  readonly properties: readonly string[];
}

/**
 * The warning that the log gives about them.
 *
 * @param fix how their declaration hides columns, given their names in quotes
 */
export function secretsWarning(
  { entity, properties }: SecretColumns,
  fix: (names: string) => string,
): string {
  const names = properties.map((name) => `'${name}'`).join(', ');
  return (
    `Payloads of events are given ${properties.join(', ')} of ${entity}, named like secrets, and may send them. ` +
    `${fix(names)}. If subscribers may see one of them, name it in notSecret instead.`
  );
}

/**
 * Finds columns whose names sound like secrets, among the columns that payload functions get and that neither `hidden`
 * nor `notSecret` names. A payload is a function, so the columns that it really sends cannot be known.
 */
export function secretColumns(plans: readonly TablePlan[]): readonly SecretColumns[] {
  const shown = new Set(plans.flatMap(shownTables));
  return [...shown]
    .map((table) => ({ entity: table.name, properties: secretsOf(table) }))
    .filter(({ properties }) => properties.length > 0);
}

/** The tables whose rows payloads are given. */
function shownTables({ events }: TablePlan): RowTable[] {
  return events.filter(({ options }) => options.payload !== undefined).flatMap(tablesOf);
}

function secretsOf(table: RowTable): string[] {
  const judged = new Set([...concealedNames(table), ...table.notSecret]);
  const secrets = table.columns.filter((column) => !column.isHidden && isNamedLikeSecret(column));
  return [...new Set(secrets.map(propertyOf))].filter((name) => !judged.has(name));
}

/** Numbers, dates and flags are not secrets: `passwordChangedAt`, `tokenCount`. Nor is the id of one. */
function isNamedLikeSecret({ type, isVirtual, path, name }: Column): boolean {
  const property = path.split('.').at(-1)!;
  const words = [property, name].map(wordsOf).filter((text) => !/\bids?$/.test(text));
  return HOLDS_TEXT.test(type) && !isVirtual && words.some((text) => SECRETS.test(text));
}

/** `apiKey`, `api_key` and `APIKey` as `api key`. */
function wordsOf(name: string): string {
  return name
    .replaceAll(/([a-z\d])([A-Z])|([A-Z])(?=[A-Z][a-z])/g, '$1$3 $2')
    .replaceAll(/[^A-Za-z]+/g, ' ')
    .trim()
    .toLowerCase();
}
