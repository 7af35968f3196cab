import { type CanActivate, Injectable } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../lib/cli/main.js';
import { Subscribers, ThornModule } from '../../lib/index.js';
import { createTableTriggers, dropTableTriggers, ensureSchema } from '../../lib/sql/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import type { FreshDatabase } from '../services/database.js';
import { makeTriggers, ORDERS, orders } from '../support/apps/tables-app.js';
import { CLIENT_DATABASES, type OwnConnection } from '../support/client-databases.js';
import type { OpenedClient } from '../support/client-kind.js';

@Injectable()
class OperatorGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

describe.each(CLIENT_DATABASES)('triggers of an application that runs on $database', (place) => {
  const { database, writers } = place;
  const kind = writers[0]!;
  let fresh: FreshDatabase;
  let own: OwnConnection;
  let client: OpenedClient<never>;
  let receiver: ScriptedReceiver;
  const apps: NestExpressApplication[] = [];

  beforeEach(async () => {
    fresh = await place.create();
    own = place.connect(fresh.url);
    await own.query(ORDERS);
    await makeTriggers(place, fresh.url);
    client = await kind.open(fresh.url, 5);
    receiver = await ScriptedReceiver.start();
  });
  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
    await client.close();
    await receiver.stop();
    await own.end();
    await fresh.drop();
  });

  const define = () => kind.define(client.bare, fresh.url);

  async function start(): Promise<NestExpressApplication> {
    const module = await Test.createTestingModule({
      imports: [
        ThornModule.forRoot({
          ...{ database: define(), tables: [orders], recipients: LOOPBACK_RECIPIENTS },
          operatorApi: { guards: [OperatorGuard] },
        }),
      ],
    }).compile();
    const app = module.createNestApplication<NestExpressApplication>({ logger: false });
    apps.push(app);
    await app.listen(0, '127.0.0.1');
    return app;
  }

  /** What `thorn doctor` finds of triggers. */
  async function found(app: NestExpressApplication): Promise<readonly string[]> {
    const { port } = app.getHttpServer().address() as { readonly port: number };
    const lines: string[] = [];
    const line = (text: string) => void lines.push(text);
    const code = await main(['doctor', `http://127.0.0.1:${port}/hooks-operator`], {
      ...{ out: line, note: line, env: {} },
    } as never);
    expect([code, lines.at(-1)]).toEqual([1, expect.stringMatching(/^Problems: \d/)]);
    return lines.filter((one) => one.includes('tables-outdated'));
  }

  it('are found missing, outdated and made anew', async () => {
    const app = await start();
    await app.get(Subscribers).create({ url: receiver.url, events: ['order.*'] });
    expect(await found(app)).toEqual([]);

    await dropTableTriggers(define(), [orders]);
    await own.query("INSERT INTO orders VALUES (1, 'SILENT', 1)");
    const name = database === 'mysql' ? 'mariadb' : database;
    const missing = /^wrong {8}tables-outdated: The table orders lacks .*thorn_insert.* or hides/;
    const lines = await found(app);
    expect(lines).toEqual([expect.stringMatching(missing)]);
    expect(lines[0]).toContain(`\`npx thorn triggers ${name} orders:id --url …\``);

    await createTableTriggers(define(), [{ name: 'orders', key: 'id', omit: ['total'] }]);
    expect(await found(app)).toEqual([expect.stringMatching(/of other columns, another key/)]);

    await createTableTriggers(define(), [orders]);
    expect(await found(app)).toEqual([]);
    await own.query("INSERT INTO orders VALUES (2, 'HEARD', 1)");
    const [webhook] = await receiver.waitFor(1);
    expect(webhook!.json).toMatchObject({ data: { id: 2, state: 'HEARD' } });
  });

  it('are found older than their table, and the next start says the same', async () => {
    const app = await start();
    await own.query('ALTER TABLE orders ADD COLUMN added integer');
    if (database === 'postgres') {
      expect(await found(app)).toEqual([]);
      await own.query('ALTER TABLE orders DISABLE TRIGGER thorn_update');
    }
    const [line] = await found(app);
    const fault =
      database === 'postgres'
        ? /The table orders has thorn_update disabled: .* Run ALTER TABLE .* ENABLE TRIGGER/
        : /The table orders has .*thorn_update.* of other columns/;
    expect(line).toMatch(fault);
    const text = line!.replace(/^wrong +tables-outdated: /, '');
    await expect(start()).rejects.toMatchObject({ code: 'THORN_TABLES_OUTDATED', message: text });

    if (database === 'postgres') await own.query('ALTER TABLE orders ENABLE TRIGGER thorn_update');
    else await ensureSchema(define(), { tables: [orders] });
    expect(await found(app)).toEqual([]);
  });

  it('are named where the table is gone', async () => {
    const app = await start();
    await own.query('DROP TABLE orders');
    expect(await found(app)).toEqual([
      expect.stringContaining("Events of defineTableEvents('orders'): there is no table orders"),
    ]);
  });
});
