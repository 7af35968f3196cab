import { ThornConfigurationError } from '../errors/index.js';
import type { OrderBy } from '../message/index.js';
import type { BulkSettings, CaptureBy } from './bulk-settings.js';
import type { ColumnSettings, EntityEventOptions, EntityEventSettings } from './event-settings.js';

/** A class whose instances are rows. */
export type EntityClass = abstract new (...args: never[]) => object;

export function isEntityClass(value: unknown): value is EntityClass {
  return typeof value === 'function' && value.prototype !== undefined;
}

// Decorators check their options against the type of the entity. From here on, a row is some object.
type Row = Record<string, unknown>;

/** Settings as recorded, for any entity. */
export interface RecordedSettings
  extends
    Omit<EntityEventSettings<Row>, 'owner' | 'orderBy' | 'relations'>,
    ColumnSettings<Row>,
    BulkSettings {
  readonly owner?: string | ((row: Row) => unknown);
  readonly orderBy?: OrderBy<boolean | string | ((row: Row) => unknown)>;
  readonly relations?: readonly string[];
}

export type RecordedTrigger =
  | 'create'
  | 'change'
  | 'delete'
  | { readonly change: readonly string[] }
  | { readonly added: string; readonly each?: true }
  | { readonly removed: string; readonly each?: true }
  | { readonly cleared: string; readonly each?: true };

/** Options as recorded, for any entity. */
export interface RecordedOptions
  extends RecordedSettings, Pick<EntityEventOptions<Row>, 'when' | 'softRemoval'> {
  readonly on: RecordedTrigger | readonly RecordedTrigger[];
}

export function triggersOf({ on }: Pick<RecordedOptions, 'on'>): readonly RecordedTrigger[] {
  return isList(on) ? on : [on];
}

/** An event of an entity, as declared. */
export interface EntityEvent {
  readonly name: string;
  readonly options: RecordedOptions;
}

/** An event of an entity, or of a table, with the settings that are shared merged under its own. */
export interface DeclaredEntityEvent extends EntityEvent {
  /** The class that declares it, the entity or one that it extends; of a table the declaration. */
  readonly declaredBy: { readonly name: string };
}

interface Declarations {
  readonly events: EntityEvent[];
  settings: RecordedSettings | undefined;
}

// The metadata of decorators. Decorators run before there is an application, so the metadata is stored by class:
// applications in one process share nothing else.
const declarations = new WeakMap<object, Declarations>();
// Only listed, never acted on: which classes exist says nothing about which application wants them.
const decorated: WeakRef<EntityClass>[] = [];

/**
 * Records an event of an entity; the order of a class' events is the order in which its decorators are written. The same
 * event may be declared several times, with other triggers each.
 *
 * @throws {@link ThornConfigurationError} when the class already declares it with one of its triggers
 */
export function recordEntityEvent(target: EntityClass, event: EntityEvent): void {
  const { events } = declarationsOf(target);
  const known = events
    .filter(({ name }) => name === event.name)
    .flatMap(({ options }) => triggersOf(options));
  for (const trigger of triggersOf(event.options)) {
    if (known.some((other) => overlap(other, trigger))) {
      throw new ThornConfigurationError(
        'THORN_EVENT_DECLARED_TWICE',
        `${target.name} declares the event ${event.name} twice on ${triggerName(trigger)}; remove one of the two, or rename its event`,
        { entity: target.name, event: event.name },
      );
    }
    known.push(trigger);
  }
  // Decorators are applied from the bottom up.
  events.unshift(event);
}

/**
 * Records the settings that a class' events share.
 *
 * @param settings `EntityEventSettings` of the class
 * @throws {@link ThornConfigurationError} when the class already has some
 */
export function recordEntitySettings(target: EntityClass, settings: object): void {
  const own = declarationsOf(target);
  if (own.settings !== undefined) {
    throw new ThornConfigurationError(
      'THORN_EVENT_DECLARED_TWICE',
      `${target.name} has @Webhooks twice; merge the two into one decorator`,
      { entity: target.name },
    );
  }
  own.settings = settings;
}

/**
 * The events of an entity, own first, then inherited ones that it does not declare anew. Shared settings lie under the
 * event's own, a subclass' shared settings over its base's.
 */
export function entityEventsOf(target: EntityClass): readonly DeclaredEntityEvent[] {
  const lineage = lineageOf(target);
  const shared: RecordedSettings = Object.assign(
    {},
    ...lineage.map((type) => declarations.get(type)?.settings).reverse(),
  ) as RecordedSettings;
  const found: DeclaredEntityEvent[] = [];
  for (const type of lineage) {
    const nearer = new Set(found.map(({ name }) => name));
    for (const { name, options } of declarations.get(type)?.events ?? []) {
      if (nearer.has(name)) continue;
      found.push({ name, options: { ...shared, ...options }, declaredBy: type });
    }
  }
  return found;
}

/** The properties that a class, and the classes that it extends, name in a setting of columns. */
export function columnsNamed(target: EntityClass, setting: keyof ColumnSettings<Row>): string[] {
  return lineageOf(target).flatMap((type) => declarations.get(type)?.settings?.[setting] ?? []);
}

/** How changes of an entity are noticed, where its class, or a class that it extends, says so. */
export function captureOf(target: EntityClass): CaptureBy | undefined {
  return lineageOf(target)
    .map((type) => declarations.get(type)?.settings?.capture)
    .find((capture) => capture !== undefined);
}

/** Every class of this process that declares events itself and is still referenced, whichever application uses it. */
export function decoratedEntities(): readonly EntityClass[] {
  return decorated
    .map((reference) => reference.deref())
    .filter((type) => type !== undefined)
    .filter((type) => (declarations.get(type)?.events.length ?? 0) > 0);
}

function isList(on: RecordedOptions['on']): on is readonly RecordedTrigger[] {
  return Array.isArray(on);
}

function overlap(one: RecordedTrigger, other: RecordedTrigger): boolean {
  const [fields, others] = [watchedFields(one), watchedFields(other)];
  if (fields === undefined || others === undefined) {
    return triggerName(one) === triggerName(other);
  }
  return (
    fields.length === 0 || others.length === 0 || fields.some((field) => others.includes(field))
  );
}

/** The fields whose change a trigger reacts to: none for all of them; undefined when it reacts to something else. */
function watchedFields(on: RecordedTrigger): readonly string[] | undefined {
  if (on === 'change') return [];
  return typeof on === 'object' && 'change' in on ? on.change : undefined;
}

/** Writes a trigger as error texts show it: `'create'`, `{ change: ['title'] }`, `{ added: 'tags' }`. */
function triggerName(on: RecordedTrigger): string {
  if (typeof on === 'string') return `'${on}'`;
  if ('change' in on) return `{ change: [${on.change.map((field) => `'${field}'`).join(', ')}] }`;
  const [kind, relation] = Object.entries(on).find(([key]) => key !== 'each')!;
  return `{ ${kind}: '${String(relation)}' }`;
}

function declarationsOf(target: EntityClass): Declarations {
  let own = declarations.get(target);
  if (own === undefined) {
    own = { events: [], settings: undefined };
    declarations.set(target, own);
    decorated.push(new WeakRef(target));
  }
  return own;
}

function lineageOf(target: EntityClass): EntityClass[] {
  const lineage: EntityClass[] = [];
  for (
    let type: unknown = target;
    typeof type === 'function' && type !== Function.prototype;
    type = Object.getPrototypeOf(type)
  ) {
    lineage.push(type as EntityClass);
  }
  return lineage;
}
