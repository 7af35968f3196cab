import { Logger } from '@nestjs/common';
import type { BulkSettings } from '../../event/bulk-settings.js';
import type { EntityPlan } from '../entities/entity-plan.js';
import { type BulkOperation, byHand, concernedEvents } from './bulk-operation.js';
import { BulkWriteError } from '../errors.js';

const DEFAULTS: Required<Omit<BulkSettings, 'capture'>> = {
  bulk: 'capture',
  bulkLimit: 1_000,
  bulkOverflow: 'throw',
};

/** Answers writes that do not say which rows they hit as the options say. */
export class BulkWriteGuard {
  readonly #logger = new Logger('Thorn');
  readonly #warned = new Set<string>();

  /** @param settings of the module; an entity's own ones win */
  constructor(private readonly settings: BulkSettings) {}

  /** The largest number of rows that one write may hit. */
  limitOf(plan: EntityPlan): number {
    return this.#settingsOf(plan).bulkLimit;
  }

  /**
   * Tells whether a write is to be captured. Logs a warning if it is not.
   *
   * @throws {@link BulkWriteError} when such writes are refused
   */
  admits(plan: EntityPlan, operation: BulkOperation): boolean {
    const { bulk } = this.#settingsOf(plan);
    if (bulk === 'capture') return true;
    this.#answer(plan, operation, bulk, (events) =>
      bulk === 'throw'
        ? `is refused (bulk: 'throw'), because ${events} would not be sent for it. Load the rows and save or remove them, or set bulk: 'capture'`
        : `is not captured (bulk: 'warn'), so ${events} is not sent for it. Set bulk: 'capture', or ${byHand(operation)}`,
    );
    return false;
  }

  /**
   * Refuses a write whose rows cannot be known, or warns of it.
   *
   * @throws {@link BulkWriteError} when such writes are refused
   */
  notice(plan: EntityPlan, operation: BulkOperation): void {
    const mode = this.#settingsOf(plan).bulk === 'throw' ? 'throw' : 'warn';
    this.#answer(
      plan,
      operation,
      mode,
      (events) =>
        `does not say which rows it changed, so ${events} cannot be sent for it. Load the rows and save or remove them, or ${byHand(operation)}`,
    );
  }

  /**
   * Refuses a write that hits more rows than may be captured, or warns of it.
   *
   * @param most the most rows that one statement may name
   * @throws {@link BulkWriteError} when such writes are refused
   */
  overflow(plan: EntityPlan, operation: BulkOperation, most = Infinity): void {
    const { bulkLimit, bulkOverflow } = this.#settingsOf(plan);
    const isRaisable = bulkLimit <= most;
    const hits = `hits more than ${Math.min(bulkLimit, most)} rows (${isRaisable ? 'bulkLimit' : 'the most keys of a statement'})`;
    const fix = `Write fewer rows at a time, ${isRaisable ? 'raise bulkLimit, ' : ''}or`;
    const explain = (events: string): string =>
      bulkOverflow === 'throw'
        ? `${hits} and is refused before it begins, because ${events} would not be sent for it. ${fix} set bulkOverflow: 'warn' and ${byHand(operation)}`
        : `${hits}, so ${events} is not sent for it. ${fix} ${byHand(operation)}`;
    this.#answer(plan, operation, bulkOverflow, explain);
  }

  /**
   * The error of an update that may change the keys of rows; undefined when no event would report them.
   *
   * @param isMade true when only a hook has set the key, and the update is made
   */
  otherKey(plan: EntityPlan, isMade: boolean): BulkWriteError | undefined {
    const events = concernedEvents(plan, 'update of the key');
    if (events.length === 0) return undefined;
    const entity = plan.metadata.name;
    return new BulkWriteError(
      `${entity}: update sets the primary key and is refused${isMade ? '' : ' before it begins'}, because ${events.join(', ')} could not say which row became which. Leave the key out, insert a row with the new key and remove the old one, or make the update without events: a query builder with callListeners(false)`,
      { entity, operation: 'update', events },
    );
  }

  /**
   * The error of an update that sets the date of a soft removal by an SQL expression; undefined when no event depends
   * on that date.
   */
  unknownDate({ metadata, events }: EntityPlan, property: string): BulkWriteError | undefined {
    const concerned = events.filter(
      ({ options: { on, softRemoval } }) => typeof on === 'string' && softRemoval !== false,
    );
    if (concerned.length === 0) return undefined;
    const entity = metadata.name;
    const names = [...new Set(concerned.map(({ name }) => name))];
    return new BulkWriteError(
      `${entity}: update sets ${property} by an SQL expression and is refused before it begins, because ${names.join(', ')} could not say which rows it removes. Use softDelete() or restore(), or set a value such as new Date() or null`,
      { entity, operation: 'update', events: names },
    );
  }

  /** The error of a write that has not hit the rows that were read for its events. */
  otherRows(
    entity: string,
    operation: BulkOperation | 'remove',
    { read, hit }: { readonly read: number; readonly hit: number },
  ): BulkWriteError {
    return new BulkWriteError(
      `${entity}: ${operation} matched ${read} row(s) and changed ${hit}, so its events could be wrong. The transaction cannot be committed: roll it back. A trigger or a rule may have kept rows, or a transformer may have changed a primary key. To write without events, use a query builder with callListeners(false)`,
      { entity, operation, read, hit },
    );
  }

  #warnOnce(message: string): void {
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    this.#logger.warn(message);
  }

  #answer(
    plan: EntityPlan,
    operation: BulkOperation,
    mode: 'throw' | 'warn',
    explain: (events: string) => string,
  ): void {
    const events = concernedEvents(plan, operation);
    if (events.length === 0) return;
    const entity = plan.metadata.name;
    const [call = operation] = operation.split(' of the ');
    const message = `${entity}: ${call} ${explain(events.join(', '))}`;
    if (mode === 'throw') throw new BulkWriteError(message, { entity, operation: call, events });
    // The text is the same each time for one cause.
    this.#warnOnce(message);
  }

  #settingsOf(plan: EntityPlan): Required<Omit<BulkSettings, 'capture'>> {
    // Settings of the class apply where an event has none of its own.
    const { bulk, bulkLimit, bulkOverflow } = plan.events[0]!.options;
    return {
      bulk: bulk ?? this.settings.bulk ?? DEFAULTS.bulk,
      bulkLimit: bulkLimit ?? this.settings.bulkLimit ?? DEFAULTS.bulkLimit,
      bulkOverflow: bulkOverflow ?? this.settings.bulkOverflow ?? DEFAULTS.bulkOverflow,
    };
  }
}
