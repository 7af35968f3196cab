import { Inject, Injectable, Optional, type OnApplicationBootstrap } from '@nestjs/common';
import { ApiSettings } from '../api/index.js';
import { checkTables, type NamedDatabase } from '../database/schema/check-tables.js';
import {
  IDEMPOTENCY_KEYS,
  OUTBOX_TABLES,
  PORTAL_LINKS,
  SUBSCRIBERS,
} from '../database/schema/thorn-tables.js';
import type { SqlTables } from '../database/sql-client.js';
import { DispatchStrategy } from '../dispatch/index.js';
import { OutboxStrategy, SqlClients } from '../outbox/index.js';
import { DatabaseSubscriberRepository, SubscriberRepository } from '../subscriber/index.js';
import { EntitySources } from '../capture/entity-sources.js';
import { TriggersCheck } from './triggers-check.js';

/** Ends the start of an application whose database lacks tables or columns that it is about to use. */
@Injectable()
export class SchemaCheck implements OnApplicationBootstrap {
  constructor(
    private readonly sources: EntitySources,
    private readonly clients: SqlClients,
    private readonly strategy: DispatchStrategy,
    private readonly subscribers: SubscriberRepository,
    @Optional() @Inject(ApiSettings) private readonly api: ApiSettings | undefined,
    private readonly triggers: TriggersCheck,
  ) {}

  /** By now an application has run its own migrations, if it does so at start-up. */
  async onApplicationBootstrap(): Promise<void> {
    try {
      await this.#check();
    } catch (error) {
      // Nest calls no hook of a shutdown now.
      await this.clients.close();
      throw error;
    }
  }

  async #check(): Promise<void> {
    await this.#checkTables();
    await this.triggers.prepare();
    await this.triggers.run();
  }

  async #checkTables(): Promise<void> {
    const isDurable = this.strategy instanceof OutboxStrategy;
    const keepsSubscribers = this.subscribers instanceof DatabaseSubscriberRepository;
    for (const [index, { database, named }] of this.#databases().entries()) {
      await checkTables(database, named, [
        ...(isDurable ? Object.values(OUTBOX_TABLES) : []),
        ...(index === 0 && keepsSubscribers
          ? [
              SUBSCRIBERS,
              OUTBOX_TABLES.capturedTables,
              OUTBOX_TABLES.leases,
              OUTBOX_TABLES.subscriberChanges,
            ]
          : []),
        ...(index === 0 && this.api !== undefined ? [IDEMPOTENCY_KEYS] : []),
        ...(index === 0 && this.api?.portal === true ? [PORTAL_LINKS] : []),
      ]);
    }
  }

  #databases(): readonly { readonly database: SqlTables; readonly named: NamedDatabase }[] {
    const { databases } = this.sources;
    const { all: clients, database } = this.clients;
    if (databases.length > 0) {
      return databases.map(({ name, client }) => ({
        database: client,
        named: { name, text: `The data source "${name}"`, remedy: BY_TYPEORM },
      }));
    }
    return clients.map(({ name, schema }) => ({
      database: database!,
      named: { name, text: `The database of ${name}`, remedy: 'Run', schema },
    }));
  }
}

const BY_TYPEORM =
  'Add ...thornMigrations to its migrations and run them, set synchronize: true in development, or run';
