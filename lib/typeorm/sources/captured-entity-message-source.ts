import { Brackets, type EntityManager, type EntityMetadata, type ObjectLiteral } from 'typeorm';
import { shownNames } from '../../common/log.js';
import { dataSourceOf } from '../../common/typeorm-compat.js';
import { EntityMessageSource, type EntityType, type RowCriteria } from '../../dispatch/index.js';
import { InvalidInputError } from '../../errors/index.js';
import type { Message } from '../../message/index.js';
import { checkManager } from './captured-transactions.js';
import type { EntityCapture } from '../hooks/entity-capture.js';
import type { EntityPlan } from '../entities/entity-plan.js';
import type { EventPlan } from '../../capture/plan/event-plan.js';
import { besideColumns } from '../../capture/plan/row-paths.js';
import { entityRowKey } from '../rows/columns.js';
import { readRows } from '../rows/row-reader.js';
import type { Subject } from '../../capture/messages/message-subject.js';

const DEFAULT_BATCH = 500;
const ROOT = 'thorn_row';

/** One event of one entity, with all its declarations, and the data source of the entity. */
interface Found {
  readonly capture: EntityCapture;
  readonly plan: EntityPlan;
  readonly events: readonly EventPlan[];
}

/** Events by hand over the captured data sources: rows are re-read, so that messages never show half-loaded ones. */
export class CapturedEntityMessageSource extends EntityMessageSource {
  constructor(private readonly captures: readonly EntityCapture[]) {
    super();
  }

  override async messageOf(
    entity: ObjectLiteral,
    event: string,
    manager: EntityManager | undefined,
  ): Promise<Message | null> {
    const found = this.#find(entity.constructor, event, manager);
    const { metadata } = found.plan;
    const id = metadata.getEntityIdMap(entity);
    if (id === undefined) {
      throw new InvalidInputError('entity', `must have its id to send ${event} for it`);
    }
    const [row] = await this.#rows(found, [id], manager);
    return (await this.#message(found, row ?? entity)) ?? null;
  }

  override async *messagesOf<Entity extends ObjectLiteral>(
    type: EntityType<Entity>,
    criteria: RowCriteria<Entity>,
    event: string,
    manager: EntityManager | undefined,
  ): AsyncGenerator<{ rows: number; messages: Message[] }> {
    const found = this.#find(type, event, manager);
    checkCriteria(criteria);
    const size = criteria.batch ?? DEFAULT_BATCH;
    let after: ObjectLiteral | undefined;
    for (;;) {
      const ids = await nextIds(
        manager ?? found.capture.dataSource.manager,
        found.plan.metadata,
        criteria,
        size,
        after,
      );
      if (ids.length === 0) return;
      const messages: Message[] = [];
      const rows = await this.#rows(found, ids, manager);
      for (const row of rows) {
        const message = await this.#message(found, row);
        if (message !== undefined) messages.push(message);
      }
      yield { rows: rows.length, messages };
      if (ids.length < size) return;
      after = ids.at(-1);
    }
  }

  #find(type: unknown, event: string, manager: EntityManager | undefined): Found {
    if (manager !== undefined) checkManager(manager);
    const captures = this.captures.filter(
      ({ dataSource }) => manager === undefined || dataSource === dataSourceOf(manager),
    );
    for (const capture of captures) {
      capture.reattach();
      const plan = capture.plans.find(({ metadata }) => metadata.target === type);
      if (plan === undefined) continue;
      const named = plan.events.filter(({ name }) => name === event);
      const events = named.filter(({ relation }) => relation === undefined);
      if (named.length === 0) {
        const known = shownNames([...new Set(plan.events.map(({ name }) => name))]);
        throw new InvalidInputError(
          'event',
          `${event} is not an event of ${plan.metadata.name}. Its events: ${known}`,
        );
      }
      if (events.length === 0) {
        throw new InvalidInputError(
          'event',
          `${event} reports links that were added or removed, and sendFor() has none; use send()`,
        );
      }
      return { capture, plan, events };
    }
    if (type === Object || type === undefined) {
      throw new InvalidInputError(
        'entity',
        'is a plain object without a class (save() of a literal returns one too). Load the entity, or make it with ' +
          'repository.create() before it is saved',
      );
    }
    const name = typeof type === 'function' ? type.name : String(type);
    throw new InvalidInputError(
      'entity',
      `${name} is not an entity with events in a captured data source`,
    );
  }

  /** The rows that still exist, in the order of the ids. */
  async #rows(
    { capture, plan: { metadata }, events }: Found,
    ids: readonly ObjectLiteral[],
    manager: EntityManager = capture.dataSource.manager,
  ): Promise<ObjectLiteral[]> {
    const rows = await readRows(manager, { metadata, ids, ...besideColumns(events) });
    return ids.flatMap((id) => rows.get(entityRowKey(metadata, id)!) ?? []);
  }

  /** Makes the message of the first declaration whose condition holds. */
  async #message({ capture, events }: Found, row: ObjectLiteral): Promise<Message | undefined> {
    for (const event of events) {
      const on = event.options.on as Subject['change']['on'];
      const change = { on, before: null, changes: {}, ids: [], related: [] };
      const message = await capture.messages.make(event, { row, before: null, change });
      if (message !== undefined) return message;
    }
    return undefined;
  }
}

function checkCriteria(criteria: RowCriteria<ObjectLiteral>): void {
  if (typeof criteria.where !== 'object' || criteria.where === null) {
    throw new InvalidInputError('where', 'must say which rows; an empty object means all of them');
  }
  const { batch } = criteria;
  if (batch !== undefined && !(Number.isInteger(batch) && batch >= 1 && batch <= 10_000)) {
    throw new InvalidInputError('batch', 'must be a whole number from 1 to 10000');
  }
}

/** Pages by key: the number of rows does not make a page slow, and changes meanwhile do not make it skip a row. */
async function nextIds(
  manager: EntityManager,
  metadata: EntityMetadata,
  { where, withDeleted = false }: RowCriteria<ObjectLiteral>,
  size: number,
  after: ObjectLiteral | undefined,
): Promise<ObjectLiteral[]> {
  const query = manager
    .createQueryBuilder<ObjectLiteral>(metadata.target, ROOT)
    .setFindOptions({ where, withDeleted, loadEagerRelations: false })
    .select(metadata.primaryColumns.map(({ propertyPath }) => `${ROOT}.${propertyPath}`));
  for (const { propertyPath } of metadata.primaryColumns) {
    query.addOrderBy(`${ROOT}.${propertyPath}`, 'ASC');
  }
  if (after !== undefined) query.andWhere(beyond(metadata, after));
  // Not limit(): a condition on a relation joins, and a row may then appear more than once.
  const rows = await query.take(size).getMany();
  return rows.map((row) => metadata.getEntityIdMap(row)!);
}

/** `(a, b) > (x, y)`, written out because not every database compares tuples. */
function beyond(metadata: EntityMetadata, after: ObjectLiteral): Brackets {
  const columns = metadata.primaryColumns;
  return new Brackets((where) => {
    columns.forEach((_, depth) => {
      const parts = columns.slice(0, depth + 1).map(({ propertyPath }, index) => {
        return `${ROOT}.${propertyPath} ${index === depth ? '>' : '='} :thorn_${depth}_${index}`;
      });
      const values = columns
        .slice(0, depth + 1)
        .map((column, index) => [`thorn_${depth}_${index}`, column.getEntityValue(after)]);
      where.orWhere(`(${parts.join(' AND ')})`, Object.fromEntries(values) as ObjectLiteral);
    });
  });
}
