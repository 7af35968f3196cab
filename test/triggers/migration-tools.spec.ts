import { readFileSync } from 'node:fs';
import { Column, DataSource, Entity, PrimaryColumn } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { THORN_TABLES } from '../../lib/database/schema/thorn-tables.js';
import { findTriggerFaults } from '../../lib/database/triggers/table-triggers.js';
import { WebhookEvent, Webhooks } from '../../lib/index.js';
import { createTableTriggers, thornEntities, thornMigrations } from '../../lib/typeorm/index.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { executorOf } from '../support/reported-changes.js';

@Entity({ name: 'orders' })
@Webhooks<Order>({ capture: 'triggers', payload: ({ id }) => ({ id }) })
@WebhookEvent<Order>('order.placed', { on: 'create' })
class Order {
  @PrimaryColumn() id!: number;
  @Column({ type: 'varchar', length: 20 }) state!: string;
}

/** The same table after a change of the model. */
@Entity({ name: 'orders' })
class ChangedOrder {
  @PrimaryColumn() id!: number;
  @Column({ type: 'varchar', length: 20 }) state!: string;
  @Column({ type: 'int', nullable: true }) total!: number | null;
}

const ORDERS = { name: 'orders', key: ['id'], omit: [] };

describe.each(['postgres', 'mariadb', 'file'] as const)(
  'what migration:generate of TypeORM writes on %s',
  (kind) => {
    let place: TestDatabase;
    beforeEach(async () => {
      place = await createDatabase(kind);
    });
    afterEach(() => place.drop());

    async function open(order: new () => object): Promise<DataSource> {
      const entities = [order, ...thornEntities];
      const dataSource = new DataSource({
        ...{ ...place.options, entities, migrations: thornMigrations },
        synchronize: false,
      });
      return dataSource.initialize();
    }

    it('leaves triggers and tables of the library alone', async () => {
      const dataSource = await open(Order);
      await dataSource.runMigrations();
      const generated = () => dataSource.driver.createSchemaBuilder().log();
      const { upQueries: own } = await generated();
      expect(own.map(({ query }) => query)).toEqual([
        expect.stringMatching(/^CREATE TABLE.*orders/),
      ]);
      for (const { query, parameters } of own) await dataSource.query(query, parameters);
      const runner = dataSource.createQueryRunner();
      await createTableTriggers(runner, [ORDERS]);
      await runner.release();

      const { upQueries, downQueries } = await generated();
      expect([upQueries, downQueries]).toEqual([[], []]);
      const faults = () =>
        findTriggerFaults(executorOf(dataSource), (name) => dataSource.driver.escape(name), ORDERS);
      expect(await faults()).toEqual([]);
      await dataSource.destroy();

      const changed = await open(ChangedOrder);
      const { upQueries: change } = await changed.driver.createSchemaBuilder().log();
      expect(change.map(({ query }) => query).join('\n')).not.toContain('thorn_');
      for (const { query, parameters } of change) await changed.query(query, parameters);
      const found = await findTriggerFaults(
        executorOf(changed),
        (name) => changed.driver.escape(name),
        ORDERS,
      );
      await changed.destroy();
      // SQLite's table is made anew, as the guide says, and MariaDB's triggers lack the column.
      const each = (one: string) => [one, one, one];
      const expected = { postgres: [], mariadb: each('outdated'), file: each('missing') };
      expect(found.map((fault) => fault.kind)).toEqual(expected[kind]);
    });
  },
);

it('are in the list of tables that Prisma must leave alone', () => {
  const text = readFileSync('docs/migrations.md', 'utf8');
  const listed = [...text.matchAll(/'public\.(thorn_\w+)'/g)].map(([, name]) => name);
  expect(listed).toEqual(THORN_TABLES.map(({ name }) => name).sort());
});
