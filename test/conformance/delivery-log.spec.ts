import { describe, expect, it } from 'vitest';
import {
  type AttemptRecord,
  attemptRecordOf,
  DeliveryLog,
  type KeptAttempts,
  type LoggedAttempt,
  type ReadKept,
  StandardDeliveryLog,
} from '../../lib/delivery/index.js';
import { type AttemptStore, deliveryLogConformance } from './delivery-log.js';
import { DeliveryLogNotifier } from '../../lib/outbox/record/delivery-log-notifier.js';
import { parseAttemptRow, selectAttempts } from '../../lib/outbox/tables/attempts.js';
import { keyOf } from '../../lib/outbox/tables/keys.js';
import { OutcomeStatements } from '../../lib/outbox/record/outcome-statements.js';
import { tableNames } from '../../lib/outbox/tables/table-names.js';
import { type DatabaseKind, createDatabase } from '../support/databases.js';
import { openOutboxApp, type OutboxApp } from '../support/apps/outbox-app.js';
import type { Outcome } from '../../lib/outbox/outcome.js';

const runner = { describe, it, expect };
const REMEMBERED: Record<KeptAttempts, (logged: LoggedAttempt) => boolean> = {
  everything: () => true,
  failures: ({ attempt }) => attempt.outcome === 'failed',
  nothing: () => false,
};

for (const kept of ['everything', 'failures', 'nothing'] as const) {
  deliveryLogConformance(
    {
      name: `StandardDeliveryLog('${kept}')`,
      makeFixture: async () => ({
        makeLog: () => new StandardDeliveryLog(kept),
        close: async () => {},
      }),
      remembers: REMEMBERED[kept],
    },
    runner,
  );
}

for (const kind of ['file', 'memory', 'postgres'] as const) {
  for (const kept of ['everything', 'failures'] as const) {
    deliveryLogConformance(
      {
        name: `StandardDeliveryLog('${kept}') in the tables of the outbox, ${kind}`,
        makeFixture: () => outboxBench(kind, kept),
        remembers: REMEMBERED[kept],
      },
      runner,
    );
  }
}

/** Somewhere else, as a service for logs would be. */
class Elsewhere {
  readonly attempts = new Map<string, AttemptRecord>();
}

class ShippingLog extends DeliveryLog {
  constructor(private readonly elsewhere: Elsewhere) {
    super();
  }

  override keeps(): boolean {
    return false;
  }

  override async written(attempts: readonly LoggedAttempt[]): Promise<void> {
    for (const { number, attempt } of attempts) {
      const key = `${attempt.deliveryId} ${number}`;
      if (!this.elsewhere.attempts.has(key)) {
        this.elsewhere.attempts.set(key, attemptRecordOf(number, attempt));
      }
    }
  }

  override async attemptsOf(delivery: string, kept: ReadKept): Promise<readonly AttemptRecord[]> {
    const shipped = [...this.elsewhere.attempts]
      .filter(([key]) => key.startsWith(`${delivery} `))
      .map(([, attempt]) => attempt);
    return [...(await kept()), ...shipped].sort((one, other) => one.number - other.number);
  }
}

deliveryLogConformance(
  {
    name: 'a log that ships attempts elsewhere',
    makeFixture: async () => {
      const elsewhere = new Elsewhere();
      return { makeLog: () => new ShippingLog(elsewhere), close: async () => {} };
    },
  },
  runner,
);

async function outboxBench(kind: DatabaseKind, kept: KeptAttempts) {
  const place = await createDatabase(kind);
  const rig = await openOutboxApp(place, { worker: false });
  return {
    makeLog: () => new StandardDeliveryLog(kept),
    store: storeOf(rig),
    close: async () => {
      await rig.close();
      await place.drop();
    },
  };
}

/** Writes as the outbox does: with what became of the delivery, if the lease is still the writer's. */
function storeOf({ strategy }: OutboxApp): AttemptStore {
  const store = strategy.store;
  const { database } = store;
  return {
    async write(attempts, log) {
      const notifier = new DeliveryLogNotifier(log);
      const statements = new OutcomeStatements(store, notifier);
      for (const set of onePerDelivery(attempts.map(outcomeOf))) {
        for (const { id } of set) await held(id);
        await database.execute(statements.statements(set, []));
      }
    },
    read: async (delivery) =>
      (await database.run(selectAttempts(store, delivery))).rows.map(parseAttemptRow),
  };

  async function held(delivery: string): Promise<void> {
    const { dialect } = database;
    const id = keyOf('dlv_', delivery);
    const { deliveries } = tableNames(database);
    await database.execute([
      {
        sql: dialect.insertNew(
          deliveries,
          [
            ...['id', 'message_id', 'subscriber_id', 'event', 'status'],
            ...['attempts', 'throttled', 'requests'],
          ],
          `SELECT r.id, r.id, r.id, 'order.paid', 'pending', 0, 0, 0 FROM ${dialect.rows('r', { id: 'uuid' })} WHERE 1 = 1`,
        ),
        parameters: [dialect.rowsParameter({ id: 'uuid' }, [{ id }])],
      },
      { sql: `UPDATE ${deliveries} SET lease = 'held' WHERE id = ?`, parameters: [id] },
    ]);
  }
}

/** A delivery has one attempt at a time. */
function onePerDelivery(outcomes: readonly Outcome[]): Outcome[][] {
  const sets: Outcome[][] = [];
  for (const outcome of outcomes) {
    const free = sets.find((set) => set.every(({ id }) => id !== outcome.id));
    if (free === undefined) sets.push([outcome]);
    else free.push(outcome);
  }
  return sets;
}

function outcomeOf({ number, attempt, status, host }: LoggedAttempt): Outcome {
  return {
    // The outbox makes the ids of its deliveries itself.
    id: `dlv_${keyOf('dlv_', attempt.deliveryId)}`,
    messageId: attempt.messageId,
    subscriberId: attempt.subscriberId,
    event: attempt.event,
    host,
    state: { status, attempts: number, throttled: 0, nextAt: null, reason: null },
    requests: number,
    attemptedAt: attempt.startedAt,
    previousAttemptAt: null,
    lease: 'held',
    keyHash: null,
    isNew: false,
    at: attempt.startedAt,
    attempt,
    disablesSubscriber: false,
  };
}
