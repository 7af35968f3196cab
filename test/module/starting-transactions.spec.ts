import { Injectable, type INestApplicationContext, type OnModuleInit } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { InjectDataSource, TypeOrmModule } from '@nestjs/typeorm';
import { Column, DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { outbox, ThornModule, WebhookDispatcher } from '../../lib/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import type { FreshDatabase } from '../services/database.js';
import { fileOf, freshSqlite } from '../support/sqlite-clients.js';

@Entity()
class Setting {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ type: 'text' })
  name!: string;
}

/** Writes its first rows while the application starts, before the outbox has opened the file. */
@Injectable()
class FirstSettings implements OnModuleInit {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly dispatcher: WebhookDispatcher,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      await manager.insert(Setting, { name: 'currency' });
      await this.dispatcher.send('setting.created', { name: 'currency' }, { manager });
    });
  }
}

let place: FreshDatabase;
let receiver: ScriptedReceiver;
let app: INestApplicationContext | undefined;
beforeEach(async () => {
  [place, receiver] = [await freshSqlite(), await ScriptedReceiver.start()];
});
afterEach(async () => {
  await app?.close();
  await receiver.stop();
  await place.drop();
});

it('a transaction on SQLite that sends while the application starts does not wait for the outbox', async () => {
  const module = await Test.createTestingModule({
    imports: [
      TypeOrmModule.forRoot({
        ...{ type: 'better-sqlite3', database: fileOf(place.url), synchronize: true },
        ...{ autoLoadEntities: true, entities: [Setting] },
      }),
      ThornModule.forRoot({
        ...{ dispatch: outbox({ pollInterval: 100 }), recipients: LOOPBACK_RECIPIENTS },
        ...{ subscribers: { '*': receiver.url } },
      }),
    ],
    providers: [FirstSettings],
  }).compile();
  app = await module.init();
  await receiver.waitFor(1);
  expect(receiver.received.map(({ event }) => event)).toEqual(['setting.created']);
});
