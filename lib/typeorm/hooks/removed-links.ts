import type {
  EntityManager,
  EntitySubscriberInterface,
  ObjectLiteral,
  QueryRunner,
  RemoveEvent,
} from 'typeorm';
import type { LinkChange } from '../../capture/changes/row-change.js';
import type { ConnectionState, Connections, Removal } from '../connection/connection-state.js';
import { readRemovedLinks } from '../criteria/removed-links.js';
import type { WriteContext } from '../criteria/write-context.js';
import { relationsCutWith } from '../entities/affecting-entities.js';
import { relationOf } from '../entities/entity-table.js';
import { linksToRemoved } from '../entities/link-rows.js';
import { linkColumns, linkEnd } from '../rows/junction-rows.js';
import { entityRowKey } from '../rows/columns.js';
import { readRows } from '../rows/row-reader.js';

/** The links that the database deletes with the rows that a save removes. They are read before it. */
export class RemovedLinks {
  constructor(
    private readonly context: WriteContext,
    private readonly connections: Connections,
  ) {}

  /** The hooks of entities whose rows may be linked from other rows. */
  beforeHooks(): EntitySubscriberInterface<ObjectLiteral>[] {
    const { dataSource, plan } = this.context;
    return dataSource.entityMetadatas
      .filter((metadata) => relationsCutWith(plan, metadata).length > 0)
      .map((metadata) => ({
        listenTo: () => metadata.target,
        beforeRemove: (event: RemoveEvent<ObjectLiteral>) =>
          event.metadata === metadata ? this.#read(event) : undefined,
      }));
  }

  /**
   * Returns the links to all rows that a save removes. The first of these rows gets all of them, the other rows none.
   */
  extract(event: RemoveEvent<ObjectLiteral>): readonly LinkChange[] {
    const { removals } = this.connections.of(event.queryRunner).save;
    const removal = removals.size === 0 ? undefined : removals.get(identityOf(event) ?? '');
    if (removal === undefined || removal.isTold) return [];
    removal.isTold = true;
    // After the other hooks of the same save, all of which TypeORM calls in one turn of the event loop.
    queueMicrotask(() => {
      for (const [identity, one] of removals) if (one === removal) removals.delete(identity);
    });
    return [...removal.links.values()];
  }

  /** Tells whether a link is among those to rows that a save removes: TypeORM may report it as well. */
  includes(queryRunner: QueryRunner, change: LinkChange): boolean {
    const { removals } = this.connections.of(queryRunner).save;
    if (removals.size === 0 || change.did === 'link') return false;
    return [...removals.values()].some(({ links }) => links.has(endsOf(change)));
  }

  /** Adds a row to the rows that one save removes. Their links are read with one query. */
  #read(event: RemoveEvent<ObjectLiteral>): Promise<void> | undefined {
    const identity = identityOf(event);
    if (identity === undefined) return undefined;
    const state = this.connections.of(event.queryRunner);
    const removal = (state.removal ??= this.#open(state, event.manager));
    const rows = removal.rows.get(event.metadata) ?? [];
    removal.rows.set(event.metadata, [...rows, rowOf(event)]);
    state.save.removals.set(identity, removal);
    return removal.read;
  }

  #open(state: ConnectionState, manager: EntityManager): Removal {
    const removal: Removal = {
      rows: new Map(),
      links: new Map(),
      isTold: false,
      read: Promise.resolve().then(() => {
        state.removal = undefined;
        return this.#readLinks(manager, removal);
      }),
    };
    return removal;
  }

  async #readLinks(manager: EntityManager, { rows: toRemove, links }: Removal): Promise<void> {
    for (const [metadata, ids] of toRemove) {
      // Locked, so that no link to them comes or goes any more.
      const wanted = { metadata, ids, joins: [], hidden: [] };
      const found = await readRows(manager, wanted, { keepsKeys: false });
      const rows = [...found.values()];
      const cut = await readRemovedLinks(this.context, manager, { metadata, rows });
      const complete = linksToRemoved(cut, rows);
      cut.forEach((link, index) => links.set(endsOf(link), complete[index]!));
    }
  }
}

/** A text that is the same for all reports of one link, to a row whose events ask for it. */
function endsOf({ plan: { entity, relation }, id, relatedId }: LinkChange): string {
  const { own, related } = linkColumns(relationOf(relation));
  return `${entity.table.name} ${relation.path} ${linkEnd(own, id)} ${linkEnd(related, relatedId)}`;
}

/** Undefined for rows that a query builder deletes by a condition: TypeORM does not know which. */
function identityOf(event: RemoveEvent<ObjectLiteral>): string | undefined {
  const { metadata, databaseEntity, entityId } = event;
  if (databaseEntity === undefined && entityId === undefined) return undefined;
  return `${metadata.tablePath} ${entityRowKey(metadata, rowOf(event))}`;
}

function rowOf({ databaseEntity, metadata, entityId }: RemoveEvent<ObjectLiteral>): ObjectLiteral {
  return databaseEntity ?? metadata.ensureEntityIdMap(entityId);
}
