import { Logger } from '@nestjs/common';
import { BulkWriteError } from './bulk-write.error.js';
import type { EntityPlan, EventPlan } from '../plan/entity-plan.js';

/**
 * How to answer a write that changes rows of an entity with events and does not say which (`update`, `delete`,
 * `softDelete`, `restore` by criteria, `upsert`, `clear`, query builders): `warn` once per entity and operation, `throw`,
 * or `ignore`.
 */
export type BulkWrites = 'warn' | 'throw' | 'ignore';

/** A kind of write that does not say which rows it changed. */
export type BulkOperation =
  | 'update'
  | 'delete'
  | 'clear'
  | 'softDelete'
  | 'restore'
  | 'upsert'
  | 'relation().remove()'
  | 'save({ reload: false })';

/** Answers bulk writes as the options say. */
export class BulkWriteGuard {
  readonly #logger = new Logger('Thorn');
  readonly #warned = new Set<string>();

  constructor(private readonly mode: BulkWrites) {}

  /** Tells whether writes must be refused before they are made. */
  get refuses(): boolean {
    return this.mode === 'throw';
  }

  /** @throws {@link BulkWriteError} in the mode `throw`, when the entity has events that the operation concerns */
  notice(plan: EntityPlan, operation: BulkOperation): void {
    if (this.mode === 'ignore') return;
    const concerned = plan.events.filter((event) => concerns(operation, event));
    const events = [...new Set(concerned.map(({ name }) => name))];
    if (events.length === 0) return;
    const entity = plan.metadata.name;
    const message =
      `${entity}: ${operation} does not say which rows it changed, so ${events.join(', ')} cannot be sent for it. ` +
      `Load the rows and save or remove them, or send by hand: dispatcher.sendFor(${entity}, { where }, '${events[0]!}')`;
    if (this.mode === 'throw') throw new BulkWriteError(message, { entity, operation, events });
    const occasion = `${entity} ${operation}`;
    if (this.#warned.has(occasion)) return;
    this.#warned.add(occasion);
    this.#logger.warn(message);
  }
}

function concerns(operation: BulkOperation, { options }: EventPlan): boolean {
  const { on, softRemoval = true } = options;
  switch (operation) {
    case 'update':
      return on === 'change';
    case 'delete':
    case 'clear':
      return on === 'delete';
    case 'softDelete':
      return on === 'delete' && softRemoval;
    case 'restore':
      return on === 'create' && softRemoval;
    case 'upsert':
      return on === 'create' || on === 'change';
    case 'save({ reload: false })':
      return on === 'create';
    case 'relation().remove()':
      return typeof on === 'object' && !('added' in on);
  }
}
