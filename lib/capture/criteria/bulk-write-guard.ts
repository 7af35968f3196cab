import { Logger } from '@nestjs/common';
import type { BulkSettings } from '../../event/bulk-settings.js';
import type { CascadeRules } from '../cascades/removals.js';
import type { EntityPlan } from '../entities/entity-plan.js';
import { type BulkOperation, codeByHand, concernedEvents } from './bulk-operation.js';
import { BulkWriteError } from './bulk-write.error.js';

const DEFAULTS: Required<BulkSettings> = {
  bulk: 'capture',
  bulkLimit: 1_000,
  bulkOverflow: 'throw',
  cascades: false,
};

/** Answers writes that do not say which rows they hit as the options say. */
export class BulkWriteGuard implements CascadeRules {
  readonly #logger = new Logger('Thorn');
  readonly #warned = new Set<string>();

  /** @param settings of the module; an entity's own ones win */
  constructor(private readonly settings: BulkSettings) {}

  /** The most rows that one write may hit. */
  limitOf(plan: EntityPlan): number {
    return this.#settingsOf(plan).bulkLimit;
  }

  /**
   * Tells whether a write is to be captured; warns of one that is not.
   *
   * @throws {@link BulkWriteError} when such writes are refused
   */
  admits(plan: EntityPlan, operation: BulkOperation): boolean {
    const { bulk } = this.#settingsOf(plan);
    if (bulk === 'capture') return true;
    this.#answer(plan, operation, bulk, (events, byHand) =>
      bulk === 'throw'
        ? `is refused (bulk: 'throw'), because ${events} would not be sent for it. Load the rows and save or remove them, or set bulk: 'capture'`
        : `is not captured (bulk: 'warn'), so ${events} is not sent for it. Set bulk: 'capture', or send by hand ${byHand}`,
    );
    return false;
  }

  /**
   * Answers a write whose rows cannot be known.
   *
   * @throws {@link BulkWriteError} when such writes are refused
   */
  notice(plan: EntityPlan, operation: BulkOperation): void {
    const mode = this.#settingsOf(plan).bulk === 'throw' ? 'throw' : 'warn';
    this.#answer(
      plan,
      operation,
      mode,
      (events, byHand) =>
        `does not say which rows it changed, so ${events} cannot be sent for it. Load the rows and save or remove them, or send by hand ${byHand}`,
    );
  }

  /**
   * Answers a write that hits more rows than may be captured.
   *
   * @param others events of other rows that would be sent for it
   * @throws {@link BulkWriteError} when such writes are refused
   */
  overflow(plan: EntityPlan, operation: BulkOperation, others: readonly string[] = []): void {
    const { bulkLimit, bulkOverflow } = this.#settingsOf(plan);
    const explain = (events: string, byHand: string): string =>
      bulkOverflow === 'throw'
        ? `hits more than ${bulkLimit} rows (bulkLimit) and is refused before it begins, because ${events} would not be sent for it. Write fewer rows at a time, raise bulkLimit, or set bulkOverflow: 'warn' and send by hand ${byHand}`
        : `hits more than ${bulkLimit} rows (bulkLimit), so ${events} is not sent for it. Write fewer rows at a time, raise bulkLimit, or send by hand ${byHand}`;
    this.#answer(plan, operation, bulkOverflow, explain, others);
  }

  /**
   * Refuses an update that may give rows other keys.
   *
   * @throws {@link BulkWriteError}
   */
  refuseKey(plan: EntityPlan): void {
    this.#answer(
      plan,
      'update of the key',
      'throw',
      (events) =>
        `sets the primary key and is refused before it begins, because ${events} could not say which row became which. Leave the key out, insert a row with the new key and remove the old one, or make the update without events: a query builder with callListeners(false)`,
    );
  }

  /** The error of a write that has not hit the rows that were read for its events. */
  otherRows(
    entity: string,
    operation: BulkOperation,
    { read, hit }: { readonly read: number; readonly hit: number },
  ): BulkWriteError {
    return new BulkWriteError(
      `${entity}: ${operation} has hit ${hit} row(s) where its condition had matched ${read}, and is refused, because events could be sent for the wrong ones. Either a trigger or a rule kept rows, the condition matches other rows each time, or a primary key loses something on its way through JavaScript, as by a transformer. Its transaction cannot be committed: roll it back, and write without events: a query builder with callListeners(false)`,
      { entity, operation, read, hit },
    );
  }

  followsCascades(plan: EntityPlan): boolean {
    return this.#settingsOf(plan).cascades;
  }

  get cascadeLimit(): number {
    return this.settings.bulkLimit ?? DEFAULTS.bulkLimit;
  }

  /**
   * Answers a removal that takes more with it than may be captured.
   *
   * @throws {@link BulkWriteError} when such removals are refused
   */
  cascadeOverflow(entity: string): void {
    const found = `${entity}: a removal takes more than ${this.cascadeLimit} other rows and links with it (bulkLimit)`;
    if ((this.settings.bulkOverflow ?? DEFAULTS.bulkOverflow) === 'throw') {
      throw new BulkWriteError(
        `${found} and is refused before it begins, because their events would not be sent. Remove those first, fewer at a time, or raise bulkLimit`,
        { entity, bulkLimit: this.cascadeLimit },
      );
    }
    this.#warnOnce(
      `${found}, so their events are not sent. Remove those first, or raise bulkLimit`,
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
    explain: (events: string, byHand: string) => string,
    others: readonly string[] = [],
  ): void {
    const events = concernedEvents(plan, operation);
    if (events.length === 0) return;
    const entity = plan.metadata.name;
    const byHand = codeByHand(plan, operation, events);
    const missed = [...new Set([...events, ...others])].join(', ');
    const [call = operation] = operation.split(' of the ');
    const message = `${entity}: ${call} ${explain(missed, byHand)}`;
    if (mode === 'throw') throw new BulkWriteError(message, { entity, operation: call, events });
    // Of one occasion the text is always the same.
    this.#warnOnce(message);
  }

  #settingsOf(plan: EntityPlan): Required<BulkSettings> {
    // Settings of the class lie under those of each of its events.
    const { bulk, bulkLimit, bulkOverflow, cascades } = plan.events[0]!.options;
    return {
      bulk: bulk ?? this.settings.bulk ?? DEFAULTS.bulk,
      bulkLimit: bulkLimit ?? this.settings.bulkLimit ?? DEFAULTS.bulkLimit,
      bulkOverflow: bulkOverflow ?? this.settings.bulkOverflow ?? DEFAULTS.bulkOverflow,
      cascades: cascades ?? this.settings.cascades ?? DEFAULTS.cascades,
    };
  }
}
