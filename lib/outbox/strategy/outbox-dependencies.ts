import { Clock } from '../../common/index.js';
import { createTables } from '../../database/pooled-store.js';
import type { SqlClient, SqlTables } from '../../database/sql-client.js';
import { Deliverer, DeliveryLog, RetryPolicy, WebhookEvents } from '../../delivery/index.js';
import { FanOut } from '../../dispatch/index.js';
import { Codecs, WebhookFormats } from '../../message/index.js';
import { SecretSealer } from '../../signing/index.js';
import { SubscriberHealth } from '../record/subscriber-health.js';

/**
 * The clients in whose transactions messages are sent. The first one's database has the other tables of the library; `outbox()`
 * takes no more than one client.
 */
export class SqlClients {
  /** Runs single statements in the database of the first client, on the other tables of the library. */
  readonly database: SqlTables | undefined;

  constructor(readonly all: readonly SqlClient<never>[]) {
    this.database = all[0] && createTables(all[0]);
  }

  /** Ends the connections that only the library uses. Called when everything else has stopped. */
  async close(): Promise<void> {
    await this.database?.close?.();
    for (const client of this.all) await client.close?.();
  }
}

const TOKENS = {
  clients: SqlClients,
  fanOut: FanOut,
  deliverer: Deliverer,
  codecs: Codecs,
  sealer: SecretSealer,
  policy: RetryPolicy,
  formats: WebhookFormats,
  events: WebhookEvents,
  health: SubscriberHealth,
  log: DeliveryLog,
  clock: Clock,
} as const;

/** Dependencies of {@link OutboxStrategy}. */
export type OutboxDependencies = {
  readonly [Name in keyof typeof TOKENS]: InstanceType<(typeof TOKENS)[Name]>;
};

/** The injection tokens of {@link OutboxDependencies}. */
export const OUTBOX_TOKENS = Object.values(TOKENS);

/** @param injected what Nest has injected for {@link OUTBOX_TOKENS}, in that order */
export function outboxDependencies(injected: readonly unknown[]): OutboxDependencies {
  const entries = Object.keys(TOKENS).map((name, index) => [name, injected[index]] as const);
  return Object.fromEntries(entries) as OutboxDependencies;
}
