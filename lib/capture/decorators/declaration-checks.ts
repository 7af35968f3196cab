import { isObject } from '../../common/objects.js';
import { OptionChecks } from '../../common/option-checks.js';
import { ThornConfigurationError } from '../../errors/index.js';
import { BULK_SETTINGS, checkBulkSettings } from '../../event/bulk-settings.js';
import { compileCondition } from '../../event/conditions/condition-compile.js';
import type { EntityClass } from '../../event/entity-events.js';
import type {
  ColumnSettings,
  EntityEventOptions,
  EntityEventSettings,
} from '../../event/event-settings.js';
import { compileEventName } from '../../event/event-name.js';
import type { TableEventSettings, TableOptions } from '../../event/table-settings.js';
import { checkHeaders } from '../../message/header-checks.js';
import {
  checkMessageSettings,
  MESSAGE_SETTINGS,
  type MessageSettings,
  ORDER_SETTINGS,
} from '../../message/index.js';

type Names<Options> = { readonly [Name in keyof Required<Options>]: true };

// Written as records, so that an option added to the types and forgotten here does not compile.
const SETTINGS: Names<Omit<EntityEventSettings<object>, keyof MessageSettings>> = {
  payload: true,
  ref: true,
  subject: true,
  owner: true,
  orderBy: true,
  headers: true,
  relations: true,
  propagateErrors: true,
  reread: true,
  subscribers: true,
  requestData: true,
};
const COLUMN_SETTINGS: Names<ColumnSettings<object>> = { hidden: true, notSecret: true };
const OPTIONS: Names<Omit<EntityEventOptions<object>, keyof MessageSettings>> = {
  ...SETTINGS,
  on: true,
  when: true,
  softRemoval: true,
};
const TABLE_SETTINGS: Names<Omit<TableEventSettings<object>, keyof MessageSettings>> = {
  payload: true,
  ref: true,
  subject: true,
  owner: true,
  orderBy: true,
  headers: true,
  propagateErrors: true,
  subscribers: true,
  requestData: true,
};
const TABLE_OPTIONS: Names<
  Omit<TableOptions<object>, keyof TableEventSettings<object> | keyof ColumnSettings<object>>
> = { key: true, omit: true, columns: true, events: true };
const ROW_TRIGGERS = `'create', 'change', 'delete', { change: ['field'] } or a list of them`;
const TRIGGERS = `'create', 'change', 'delete', { change: ['field'] }, { added: 'relation' }, { removed: 'relation' }, { cleared: 'relation' } or a list of them`;

/**
 * @param rest what the decorator was called with besides its target: nothing on a class
 * @returns how error texts name the declaration
 */
export function checkEntityClass(target: unknown, rest: readonly unknown[]): string {
  if (typeof target !== 'function' || rest.some((argument) => argument !== undefined)) {
    const owner = typeof target === 'function' ? target.name : target?.constructor?.name;
    throw new ThornConfigurationError(
      'THORN_DECLARATION_INVALID',
      `@Webhooks on ${owner ?? 'a value'}.${String(rest[0])}: entity events are declared on the class; move the decorator above class ${owner ?? '…'}`,
      { decorator: '@Webhooks', class: owner },
    );
  }
  return `@Webhooks on ${target.name || 'a class without a name'}`;
}

/** @throws {@link ThornConfigurationError} naming `declaration` and the fix */
export function checkEntitySettings(declaration: string, settings: object): void {
  const check = new OptionChecks(declaration);
  const known = { ...SETTINGS, ...COLUMN_SETTINGS, ...BULK_SETTINGS };
  check.names(settings, [...Object.keys(known), ...MESSAGE_SETTINGS]);
  checkBulkSettings(check, settings);
  checkColumnLists(check, settings as Readonly<Record<string, unknown>>);
  checkSettingKinds(declaration, settings as Readonly<Record<string, unknown>>);
}

/** @throws {@link ThornConfigurationError} naming `declaration` and the fix */
export function checkTableSettings(
  declaration: string,
  settings: Readonly<Record<string, unknown>>,
): void {
  const check = new OptionChecks(declaration);
  const known = { ...TABLE_SETTINGS, ...COLUMN_SETTINGS, ...TABLE_OPTIONS };
  check.names(settings, [...Object.keys(known), ...MESSAGE_SETTINGS]);
  const { key, omit, columns } = settings;
  const isKey = isName(key) || (isNameList(key) && areDifferent(key as readonly unknown[]));
  check.assert(
    'key',
    isKey,
    `must be a column such as 'id', or a list of columns, not ${describe(key)}`,
  );
  const isOmit = omit === undefined || (Array.isArray(omit) && omit.every(isName));
  check.assert('omit', isOmit, `must be a list of columns such as ['note'], not ${describe(omit)}`);
  check.assert(
    'columns',
    columns === undefined || (isObject(columns) && Object.values(columns).every(isName)),
    "must be an object of the names that columns have in the database, such as { partnerId: 'partner_id' }",
  );
  checkColumnLists(check, settings);
  checkSettingKinds(declaration, settings);
}

function checkColumnLists(check: OptionChecks, settings: Readonly<Record<string, unknown>>): void {
  for (const key of Object.keys(COLUMN_SETTINGS)) {
    const value = settings[key];
    const isFine = value === undefined || (Array.isArray(value) && value.every(isName));
    check.assert(
      key,
      isFine,
      `must be a list of properties such as ['passwordHash'], not ${describe(value)}`,
    );
  }
}

/** @throws {@link ThornConfigurationError} naming the class, the event and the fix */
export function checkEntityEvent(target: EntityClass, name: unknown, options: object): void {
  const declaration = `@WebhookEvent(${typeof name === 'string' ? `'${name}'` : String(name)}) on ${target.name}`;
  const check = new OptionChecks(declaration);
  if (typeof name !== 'string') throw check.error('name', "must be text such as 'article.created'");
  const values = (options ?? {}) as Readonly<Record<string, unknown>>;
  check.names(values, [...Object.keys(OPTIONS), ...MESSAGE_SETTINGS]);
  checkTriggers(check, values['on'], isTrigger, TRIGGERS);
  check.boolean('softRemoval', values['softRemoval'] as boolean | undefined);
  checkEventOptions(declaration, name, values);
}

/** @throws {@link ThornConfigurationError} naming `declaration` and the fix */
export function checkTableEvent(
  declaration: string,
  name: string,
  options: Readonly<Record<string, unknown>>,
): void {
  const check = new OptionChecks(declaration);
  check.names(options, [
    ...Object.keys({ ...TABLE_SETTINGS, on: true, when: true }),
    ...MESSAGE_SETTINGS,
  ]);
  checkTriggers(check, options['on'], isRowTrigger, ROW_TRIGGERS);
  checkEventOptions(declaration, name, options);
}

function checkTriggers(
  check: OptionChecks,
  on: unknown,
  isFine: (one: unknown) => boolean,
  valid: string,
): void {
  const triggers: readonly unknown[] = Array.isArray(on) ? on : [on];
  const areFine = triggers.length > 0 && triggers.every(isFine);
  check.assert('on', areFine, `must be ${valid}, not ${describe(on)}`);
}

function checkEventOptions(
  declaration: string,
  name: string,
  options: Readonly<Record<string, unknown>>,
): void {
  explain(declaration, () => compileEventName(name));
  checkSettingKinds(declaration, options);
  const { when } = options;
  if (when !== undefined) {
    explain(declaration, () => compileCondition(when as Parameters<typeof compileCondition>[0]));
  }
}

/**
 * Checks the settings that events of entities and of methods have in common.
 *
 * @throws {@link ThornConfigurationError} naming `declaration` and the fix
 */
export function checkSettingKinds(
  declaration: string,
  values: Readonly<Record<string, unknown>>,
): void {
  const check = new OptionChecks(declaration);
  for (const [key, kind] of Object.entries(KINDS)) {
    const value = values[key];
    const isFine = value === undefined || kind.test(value);
    check.assert(key, isFine, `must be ${kind.of}, not ${describe(value)}`);
  }
  const { orderBy } = values;
  if (isObject(orderBy)) check.within('orderBy').names(orderBy, ORDER_SETTINGS);
  explain(declaration, () => {
    checkMessageSettings(values);
    if (typeof values['headers'] === 'object') checkHeaders(values['headers']);
  });
}

/** Events of tables have no relations: a trigger tells the columns of a row alone. */
function isRowTrigger(on: unknown): boolean {
  return isTrigger(on) && (typeof on === 'string' || 'change' in (on as object));
}

function isTrigger(on: unknown): boolean {
  if (typeof on === 'string') return ['create', 'change', 'delete'].includes(on);
  if (typeof on !== 'object' || on === null) return false;
  const { each, ...rest } = on as Readonly<Record<string, unknown>>;
  const [[kind, relation] = [], ...others] = Object.entries(rest);
  if (kind === 'change') {
    return others.length === 0 && each === undefined && isNameList(relation);
  }
  return (
    others.length === 0 &&
    ['added', 'removed', 'cleared'].includes(kind ?? '') &&
    typeof relation === 'string' &&
    (each === undefined || each === true)
  );
}

function explain(declaration: string, compile: () => unknown): void {
  try {
    compile();
  } catch (error) {
    throw new ThornConfigurationError(
      'THORN_DECLARATION_INVALID',
      `${declaration}: ${(error as Error).message}`,
      { declaration },
      error,
    );
  }
}

function describe(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}

const isName = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isNameList = (value: unknown): boolean =>
  Array.isArray(value) && value.length > 0 && value.every(isName);
const areDifferent = (names: readonly unknown[]): boolean => new Set(names).size === names.length;
const isFunction = (value: unknown): boolean => typeof value === 'function';
const isBoolean = (value: unknown): boolean => typeof value === 'boolean';
const isTextOrFunction = (value: unknown): boolean =>
  isFunction(value) || (typeof value === 'string' && value !== '');
const isTextRecord = (value: unknown): boolean =>
  isObject(value) && Object.values(value).every((text) => typeof text === 'string');

const isOrderKey = (value: unknown): boolean =>
  typeof value === 'boolean' || isTextOrFunction(value);
const isOrderBy = (value: unknown): boolean => {
  if (!isObject(value)) return isOrderKey(value);
  const { key, private: isPrivate = false } = value;
  return isOrderKey(key) && isBoolean(isPrivate);
};

const KINDS: Readonly<Record<string, { readonly of: string; test(value: unknown): boolean }>> = {
  payload: { of: 'a function', test: isFunction },
  ref: { of: `a template such as '/articles/{id}' or a function`, test: isTextOrFunction },
  subject: { of: `a template such as '{number}' or a function`, test: isTextOrFunction },
  owner: { of: `a path such as 'author.id' or a function`, test: isTextOrFunction },
  orderBy: {
    of: `true, a path such as 'tenantId', a function, or { key, private: true }`,
    test: isOrderBy,
  },
  headers: {
    of: 'an object of texts or a function',
    test: (value) => isFunction(value) || isTextRecord(value),
  },
  relations: {
    of: `a list of paths such as ['author']`,
    test: (value) => Array.isArray(value) && value.every((path) => typeof path === 'string'),
  },
  requestData: {
    of: 'an object or a function that answers one',
    test: (value) => isFunction(value) || isObject(value),
  },
  reread: { of: 'true or false', test: isBoolean },
  propagateErrors: { of: 'true or false', test: isBoolean },
};
