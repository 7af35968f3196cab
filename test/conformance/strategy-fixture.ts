import { type DispatchStrategyFixture, ScriptedReceiver } from '../../lib/testing/index.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { joined, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';

/** Opens one process; the first of them makes the tables. */
export type OpensRig = (place: TestDatabase, isFirst: boolean) => Promise<OutboxApp>;

/** Processes that share a database on PostgreSQL and its one subscriber. The first of them sends. */
export async function strategyFixture(
  processes: readonly OpensRig[],
): Promise<DispatchStrategyFixture> {
  const receiver = await ScriptedReceiver.start();
  const place = await createDatabase('postgres');
  const rigs: OutboxApp[] = [];
  for (const [at, open] of processes.entries()) {
    const rig = await open(place, at === 0);
    await rig.subscribers.create(subscriber(receiver.url, { id: 'sub_1' }));
    rigs.push(rig);
  }
  const sender = rigs[0]!;
  return {
    strategy: sender.strategy,
    arrived: () => receiver.received.map(({ id }) => id),
    makeMessage: () => sender.message(),
    transaction: (work) => sender.dataSource.transaction((manager) => work(joined(manager))),
    close: async () => {
      for (const rig of rigs) await rig.close();
      await receiver.stop();
      await place.drop();
    },
  };
}
