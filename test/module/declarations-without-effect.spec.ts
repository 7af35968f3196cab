import { type INestApplication, Injectable, type LoggerService, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Column, Entity, ManyToOne, PrimaryGeneratedColumn } from 'typeorm';
import { afterEach, describe, expect, it } from 'vitest';
import {
  defineEvents,
  inline,
  ThornModule,
  type ThornModuleExtras,
  type ThornModuleOptions,
  WebhookDispatcher,
  WebhookEvent,
  Webhooks,
} from '../../lib/index.js';

let app: INestApplication | undefined;

afterEach(async () => {
  await app?.close();
  app = undefined;
});

/** Starts an application. @returns the warnings that it has logged until then */
async function warningsOf(
  options: ThornModuleOptions & ThornModuleExtras = {},
  providers: Type<unknown>[] = [],
  entities: Type<object>[] = [],
): Promise<readonly string[]> {
  const warnings: string[] = [];
  const silent = () => undefined;
  const warn = (line: unknown) => void warnings.push(String(line));
  const logger: LoggerService = { log: silent, warn, error: silent };
  const module = await Test.createTestingModule({
    imports: [
      TypeOrmModule.forRoot({
        ...{ type: 'better-sqlite3', database: ':memory:' },
        ...{ autoLoadEntities: true, synchronize: true },
      }),
      TypeOrmModule.forFeature(entities),
      ThornModule.forRoot({ dispatch: inline(), ...options }),
    ],
    providers,
  }).compile();
  app = module.createNestApplication({ logger });
  await app.init();
  return warnings;
}

/** Decorated anew, since classes that nothing refers to are forgotten. */
function declareClass(): Type<{ id: string }> {
  @WebhookEvent<Invoice>('invoice.paid', { on: 'change' })
  class Invoice {
    id!: string;
  }
  return Invoice;
}

describe('@WebhookEvent on a class that is not an entity', () => {
  it('is logged at start-up when nothing uses the class', async () => {
    const Invoice = declareClass();

    expect(await warningsOf()).toEqual([
      'No captured data source knows Invoice as an entity, so that the events of @WebhookEvent on it are never sent. ' +
        "Add @Entity() and list the class in the data source's entities, or name its data source in the option dataSources.",
    ]);
    expect(Invoice.name).toBe('Invoice');
  });

  it('is refused at start-up when the class is a provider', async () => {
    @Injectable()
    @WebhookEvent<Invoices>('invoice.paid', { on: 'change' })
    class Invoices {
      id!: string;
    }

    await expect(warningsOf({}, [Invoices])).rejects.toThrow(
      'Invoices declares webhook events (invoice.paid), but no captured data source (better-sqlite3 :memory:) knows it ' +
        "as an entity. Give it @Entity() and add it to the data source's entities, or add its data source to the option " +
        'dataSources. An event of a provider belongs on its method.',
    );
  });
});

describe('the pattern of a static subscriber that matches no declared event', () => {
  const subscribers = { 'ordr.*': 'https://warehouse.example.com/hooks' };
  const events = defineEvents({
    'invoice.paid': { description: 'An invoice was paid' },
    'order.placed': { description: 'An order was placed' },
    'order.{id}.paid': { description: 'An order was paid' },
  });
  const text =
    "The option subscribers: the pattern 'ordr.*' matches no declared event. Did you mean order.placed or " +
    'order.{id}.paid? Correct the pattern, or declare the event with defineEvents().';

  it('is logged at start-up with the nearest names', async () => {
    expect(await warningsOf({ subscribers, events })).toContainEqual(text);
  });

  it('is refused at start-up where events that are not declared cannot be sent', async () => {
    const starts = warningsOf({ subscribers, events, strictEvents: true });

    await expect(starts).rejects.toThrow(text);
  });

  it('is treated in the same way in the option eventTypes', async () => {
    const eventTypes = ['ordr.*', 'order.*.paid', 'order.{id}.paid', 'invoice.paid', '*'];
    const textOf = text.replace('subscribers', 'eventTypes');
    const lines = await warningsOf({ eventTypes, events });
    expect(lines.filter((line) => line.includes('eventTypes'))).toEqual([textOf]);
    await app!.close();

    const starts = warningsOf({ eventTypes, events, strictEvents: true });
    await expect(starts).rejects.toThrow(textOf);
  });

  it('is accepted when it matches a method, or the application declares no events', async () => {
    @Injectable()
    class Orders {
      @WebhookEvent('ordr.placed')
      async place(): Promise<void> {}
    }

    const ofPatterns = (lines: readonly string[]) =>
      lines.filter((line) => line.includes("'ordr.*'"));

    expect(ofPatterns(await warningsOf({ subscribers, events }, [Orders]))).toEqual([]);
    await app!.close();
    expect(ofPatterns(await warningsOf({ subscribers }))).toEqual([]);
  });
});

describe('an event that is sent by hand and not declared', () => {
  const events = defineEvents({ 'order.placed': { description: 'An order was placed' } });
  const undeclared = (lines: readonly string[]) =>
    lines.filter((line) => line.includes('is not declared'));
  const environment = process.env['NODE_ENV'];
  afterEach(() => {
    process.env['NODE_ENV'] = environment;
  });

  it('is logged once with the nearest name', async () => {
    const lines = await warningsOf({ events });
    const dispatcher = app!.get(WebhookDispatcher);
    for (const name of ['order.plcaed', 'order.plcaed', 'order.placed', 'a.b', 'a.b']) {
      await dispatcher.send(name);
    }

    expect(undeclared(lines)).toEqual([
      "The event order.plcaed was sent, but is not declared. Did you mean order.placed? Declare it: events: defineEvents({ 'order.plcaed': { description: '…' } }).",
      "The event a.b was sent, but is not declared. Declare it: events: defineEvents({ 'a.b': { description: '…' } }).",
    ]);
  });

  it('is logged for a limited number of names, which may hold ids', async () => {
    const lines = await warningsOf({ events });
    for (let id = 0; id < 150; id += 1) await app!.get(WebhookDispatcher).send(`stock.${id}.low`);

    expect(undeclared(lines)).toHaveLength(100);
  });

  it('is not logged in production, nor where no event is declared', async () => {
    const lines = await warningsOf();
    await app!.get(WebhookDispatcher).send('a.b');
    expect(undeclared(lines)).toEqual([]);
    await app!.close();

    process.env['NODE_ENV'] = 'production';
    const inProduction = await warningsOf({ events });
    await app!.get(WebhookDispatcher).send('a.b');
    expect(undeclared(inProduction)).toEqual([]);
  });
});

describe('a column that is named like a secret', () => {
  it('is logged at start-up where a payload is given it, with the setting that hides it', async () => {
    @Entity()
    @Webhooks<Account>({ notSecret: ['token'] })
    class Account {
      @PrimaryGeneratedColumn() id!: number;
      @Column() apiKey!: string;
      @Column() token!: string;
    }
    @Entity()
    @Webhooks<Login>({ hidden: ['secret'], payload: (_, { changes }) => changes })
    @WebhookEvent<Login>('login.changed', { on: 'change', relations: ['account'] })
    class Login {
      @PrimaryGeneratedColumn() id!: number;
      @Column() passwordHash!: string;
      @Column() resetToken!: string;
      @Column() secret!: string;
      @Column({ select: false }) salt!: string;
      @ManyToOne(() => Account) account!: Account;
    }
    @Entity()
    @WebhookEvent<Quiet>('quiet.changed', { on: 'change' })
    class Quiet {
      @PrimaryGeneratedColumn() id!: number;
      @Column() password!: string;
    }

    const warnings = await warningsOf({}, [], [Login, Account, Quiet]);

    expect(warnings.filter((line) => line.startsWith('Payloads'))).toEqual([
      'Payloads of events are given passwordHash, resetToken of Login, named like secrets, and may send them. ' +
        "Hide them: @Webhooks<Login>({ hidden: ['passwordHash', 'resetToken'] }). " +
        'Where subscribers may see one, name it in notSecret instead.',
      'Payloads of events are given apiKey of Account, named like secrets, and may send them. ' +
        "Hide them: @Webhooks<Account>({ hidden: ['apiKey'] }). " +
        'Where subscribers may see one, name it in notSecret instead.',
    ]);
  });
});

describe('a hidden column that the entity does not have', () => {
  it('is refused at start-up, naming those that it has', async () => {
    @Entity()
    @Webhooks<Misspelt>({ hidden: ['pasword' as 'password'] })
    class Misspelt {
      @PrimaryGeneratedColumn() id!: number;
      @Column() password!: string;
    }

    await expect(warningsOf({}, [], [Misspelt])).rejects.toThrow(
      '@Webhooks on Misspelt: hidden names pasword, which is not a property of Misspelt. Its properties: id, password',
    );
  });
});
