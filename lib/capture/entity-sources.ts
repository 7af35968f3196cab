import type { BulkSettings } from '../event/bulk-settings.js';
import type { SerializeTransactions } from '../database/sqlite-handle.js';
import type { SqlClient, SqlTables } from '../database/sql-client.js';
import { EntityMessageSource, type MessagePipeline, type Transactions } from '../dispatch/index.js';
import { InvalidInputError } from '../errors/index.js';
import { type EntityClass, entityEventsOf } from '../event/entity-events.js';
import type { MessageFactory } from '../message/index.js';
import type { DeclaredEvents } from './plan/declared-events.js';
import type { ReportedSource } from './tables/reported-tables.js';
import type { EventsWithoutData } from './plan/declaration-warnings.js';

export interface CapturedDatabase {
  readonly name: string;
  /** The database, named as in TypeORM's option `type`. */
  readonly type: string;
  readonly client: SqlClient<never> & SqlTables;
}

/** Columns that payloads of events are given, and that are named like secrets. */
export interface ShownSecrets {
  readonly entity: string;
  readonly properties: readonly string[];
}

/** The options of the module that the captures follow. */
export interface CaptureOptions extends BulkSettings {
  readonly serializeTransactions?: SerializeTransactions | undefined;
  readonly transactions?: 'optional' | 'required' | undefined;
}

export interface CaptureDependencies {
  readonly messageFactory: MessageFactory;
  readonly pipeline: MessagePipeline;
  readonly declared: DeclaredEvents;
  readonly options: CaptureOptions;
}

/**
 * The TypeORM data sources whose entities are captured. This class is the one for applications without TypeORM: it has
 * no data sources.
 */
export class EntitySources {
  readonly databases: readonly CapturedDatabase[] = [];

  capture(_dependencies: CaptureDependencies): EntityCaptures {
    return new EntityCaptures();
  }
}

export abstract class EntitySourceFinder {
  /** @throws `ThornConfigurationError` (rejects) naming a data source that is missing or not initialised */
  abstract find(): Promise<EntitySources>;
}

class NoEntityMessages extends EntityMessageSource {
  override async messageOf(): Promise<never> {
    throw new InvalidInputError(
      'entity',
      'is not an entity with events in a captured data source. Without TypeORM pass { table, key } to sendFor(), or use send()',
    );
  }

  // eslint-disable-next-line require-yield
  override async *messagesOf(): AsyncGenerator<never> {
    await this.messageOf();
  }
}

/** The captures of data sources, listening. This class captures nothing. */
export class EntityCaptures {
  readonly transactions: Transactions | undefined;
  readonly messages: EntityMessageSource = new NoEntityMessages();

  /** Tells whether a caller's transaction is found without its being named. */
  get knowsCallers(): boolean {
    return false;
  }

  /** The tables whose changes triggers report. */
  reported(): readonly ReportedSource[] {
    return [];
  }

  /** @throws `ThornConfigurationError` for a class in use that declares events and that no data source knows */
  assertKnown(_classes: readonly EntityClass[], _instances: readonly unknown[]): void {}

  /** Finds the classes with events that no data source knows. */
  unknown(classes: Iterable<EntityClass>): readonly EntityClass[] {
    return [...classes].filter((type) => entityEventsOf(type).length > 0);
  }

  /** Finds the entity with events whose rows a table has, by the table's name. */
  entityOf(_table: string): string | undefined {
    return undefined;
  }

  secrets(): readonly ShownSecrets[] {
    return [];
  }

  /** Finds the events whose messages have an empty object as their data. */
  eventsWithoutData(): readonly EventsWithoutData[] {
    return [];
  }

  detach(): void {}
}
