import { ThornConfigurationError } from '../../errors/index.js';
import { BULK_SETTINGS, bulkFault } from '../../event/bulk-settings.js';
import { compileCondition } from '../../event/conditions/condition-compile.js';
import type { EntityClass } from '../../event/entity-events.js';
import type { EntityEventOptions, EntityEventSettings } from '../../event/event-settings.js';
import { compileEventName } from '../../event/event-name.js';
import { checkHeaders } from '../../message/header-checks.js';
import {
  checkMessageSettings,
  MESSAGE_SETTINGS,
  type MessageSettings,
} from '../../message/index.js';

type Names<Options> = { readonly [Name in keyof Required<Options>]: true };

// Written as records, so that an option added to the types and forgotten here does not compile.
const SETTINGS: Names<Omit<EntityEventSettings<object>, keyof MessageSettings>> = {
  payload: true,
  ref: true,
  owner: true,
  headers: true,
  relations: true,
  propagateErrors: true,
  reread: true,
  subscribers: true,
  requestData: true,
};
const OPTIONS: Names<Omit<EntityEventOptions<object>, keyof MessageSettings>> = {
  ...SETTINGS,
  on: true,
  when: true,
  softRemoval: true,
};
const TRIGGERS = `'create', 'change', 'delete', { change: ['field'] }, { added: 'relation' }, { removed: 'relation' }, { cleared: 'relation' } or a list of them`;

/**
 * @param rest what the decorator was called with besides its target: nothing on a class
 * @returns how error texts name the place
 */
export function checkEntityClass(
  decorator: string,
  target: unknown,
  rest: readonly unknown[],
): string {
  if (typeof target !== 'function' || rest.some((argument) => argument !== undefined)) {
    const owner = typeof target === 'function' ? target.name : target?.constructor?.name;
    throw new ThornConfigurationError(
      `${decorator} on ${owner ?? 'a value'}.${String(rest[0])}: entity events are declared on the class; move the decorator above class ${owner ?? '…'}`,
      { decorator, class: owner },
    );
  }
  return `${decorator} on ${target.name}`;
}

/** @throws {@link ThornConfigurationError} naming `place` and the fix */
export function checkEntitySettings(place: string, settings: object): void {
  checkKeys(place, settings, { ...SETTINGS, ...BULK_SETTINGS });
  const fault = bulkFault(settings);
  if (fault !== undefined) throw refused(place, `${fault.name} ${fault.reason}`);
  checkSettingKinds(place, settings as Readonly<Record<string, unknown>>);
}

/** @throws {@link ThornConfigurationError} naming the class, the event and the fix */
export function checkEntityEvent(target: EntityClass, name: unknown, options: object): void {
  const place = `@WebhookEvent(${typeof name === 'string' ? `'${name}'` : String(name)}) on ${target.name}`;
  if (typeof name !== 'string') {
    throw refused(place, `the event's name must be text such as 'article.created'`);
  }
  explain(place, () => compileEventName(name));
  if (typeof options !== 'object' || options === null) {
    throw refused(place, `say what it reacts to: on must be ${TRIGGERS}`);
  }
  checkKeys(place, options, OPTIONS);
  const values = options as Readonly<Record<string, unknown>>;
  const triggers: readonly unknown[] = Array.isArray(values['on']) ? values['on'] : [values['on']];
  if (triggers.length === 0 || !triggers.every(isTrigger)) {
    throw refused(place, `on must be ${TRIGGERS}, not ${describe(values['on'])}`);
  }
  checkSettingKinds(place, values);
  if (values['softRemoval'] !== undefined && typeof values['softRemoval'] !== 'boolean') {
    throw refused(place, `softRemoval must be true or false`);
  }
  if (values['when'] !== undefined) {
    explain(place, () =>
      compileCondition(values['when'] as Parameters<typeof compileCondition>[0]),
    );
  }
}

function checkKeys(place: string, options: object, known: object): void {
  const names = [...Object.keys(known), ...MESSAGE_SETTINGS];
  const unknown = Object.keys(options).find((key) => !names.includes(key));
  if (unknown !== undefined) {
    throw refused(place, `Unknown option ${unknown}. Valid options: ${names.join(', ')}`);
  }
}

/**
 * Checks the settings that events of entities and of methods have in common.
 *
 * @throws {@link ThornConfigurationError} naming `place` and the fix
 */
export function checkSettingKinds(place: string, values: Readonly<Record<string, unknown>>): void {
  const kinds: Readonly<Record<string, { readonly of: string; test(value: unknown): boolean }>> = {
    payload: { of: 'a function', test: isFunction },
    ref: { of: `a template such as '/articles/{id}' or a function`, test: isTextOrFunction },
    owner: { of: `a path such as 'author.id' or a function`, test: isTextOrFunction },
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
      test: (value) =>
        isFunction(value) || (typeof value === 'object' && value !== null && !Array.isArray(value)),
    },
    reread: { of: 'true or false', test: (value) => typeof value === 'boolean' },
    propagateErrors: { of: 'true or false', test: (value) => typeof value === 'boolean' },
  };
  for (const [key, kind] of Object.entries(kinds)) {
    if (values[key] !== undefined && !kind.test(values[key])) {
      throw refused(place, `${key} must be ${kind.of}, not ${describe(values[key])}`);
    }
  }
  explain(place, () => {
    checkMessageSettings(values);
    if (typeof values['headers'] === 'object') checkHeaders(values['headers']);
  });
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

function explain(place: string, compile: () => unknown): void {
  try {
    compile();
  } catch (error) {
    throw refused(place, error instanceof Error ? error.message : String(error), error);
  }
}

function refused(place: string, reason: string, cause?: unknown): ThornConfigurationError {
  return new ThornConfigurationError(`${place}: ${reason}`, { place }, cause);
}

function describe(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}

const isNameList = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((name) => typeof name === 'string' && name !== '');
const isFunction = (value: unknown): boolean => typeof value === 'function';
const isTextOrFunction = (value: unknown): boolean =>
  isFunction(value) || (typeof value === 'string' && value !== '');
const isTextRecord = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((text) => typeof text === 'string');
