import type { DeclaredEvents } from '../../capture/plan/declared-events.js';
import type { SqlClient, SqlTables } from '../../database/sql-client.js';
import type { EntityMessageSource, MessagePipeline, Transactions } from '../../dispatch/index.js';
import type { EntityClass } from '../../event/index.js';
import type { MessageFactory } from '../../message/index.js';
import type { CheckedOptions } from '../options/settings.js';

export interface CapturedDatabase {
  readonly name: string;
  /** As TypeORM's option `type`. */
  readonly type: string;
  readonly client: SqlClient<never> & SqlTables;
}

/** Columns that payloads of events are given, and that are named like secrets. */
export interface ShownSecrets {
  readonly entity: string;
  readonly properties: readonly string[];
}

/** Reads changes that triggers report. */
export interface ReportedChanges {
  start(): void;
  stop(): Promise<void>;
}

export interface CaptureDependencies {
  readonly messageFactory: MessageFactory;
  readonly pipeline: MessagePipeline;
  readonly declared: DeclaredEvents;
  readonly options: CheckedOptions;
}

/** The data sources whose entities are captured: those of TypeORM. */
export abstract class EntitySources {
  abstract readonly databases: readonly CapturedDatabase[];
  abstract capture(dependencies: CaptureDependencies): EntityCaptures;
}

export abstract class EntitySourceFinder {
  /** @throws `ThornConfigurationError` naming a data source that is missing or not initialised */
  abstract find(): EntitySources;
}

/** The captures of data sources, listening. */
export abstract class EntityCaptures {
  /** Undefined when nothing is captured. */
  abstract readonly transactions: Transactions | undefined;
  abstract readonly messages: EntityMessageSource;
  /** @throws `ThornConfigurationError` for a class with events that no data source knows, of those that are in use */
  abstract assertKnown(classes: readonly EntityClass[], instances: readonly unknown[]): void;
  /** Finds the classes with events that no data source knows. */
  abstract unknown(classes: Iterable<EntityClass>): readonly EntityClass[];
  abstract secrets(): readonly ShownSecrets[];
  /**
   * @returns what reads changes, of each data source on PostgreSQL
   * @throws `ThornConfigurationError` when the migration has not run
   */
  abstract reportedChanges(pollInterval: number): Promise<readonly ReportedChanges[]>;
  abstract detach(): void;
}
