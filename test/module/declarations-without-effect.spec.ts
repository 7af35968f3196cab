import { type INestApplication, Injectable, type LoggerService, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import {
  Column,
  DataSource,
  Entity,
  ManyToOne,
  PrimaryColumn,
  PrimaryGeneratedColumn,
} from 'typeorm';
import { afterEach, describe, expect, it } from 'vitest';
import {
  defineEvents,
  inline,
  InvalidInputError,
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
  const logger: LoggerService = { log: silent, warn, error: warn };
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
        "Add @Entity(), and list the class in TypeOrmModule.forFeature([Invoice]) of a module or in the data source's entities. " +
        'Name its data source in the option dataSources if it is another one.',
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
        'as an entity. Give it @Entity(), and list it in TypeOrmModule.forFeature([Invoices]) of a module or in the data ' +
        "source's entities. Add its data source to the option dataSources if it is another one. An event of a provider " +
        'belongs on its method.',
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

  it('is logged where no event is declared', async () => {
    const lines = await warningsOf();
    await app!.get(WebhookDispatcher).send('a.b');
    expect(undeclared(lines)).toEqual([
      "The event a.b was sent, but is not declared. Declare it: events: defineEvents({ 'a.b': { description: '…' } }).",
    ]);
  });

  it('is not logged in production', async () => {
    process.env['NODE_ENV'] = 'production';
    const inProduction = await warningsOf({ events });
    await app!.get(WebhookDispatcher).send('a.b');
    expect(undeclared(inProduction)).toEqual([]);
  });
});

describe('an application that declares no event', () => {
  const api = { unprotected: true, owner: () => null } as const;
  const ofEvents = (lines: readonly string[]) =>
    lines.filter((line) => line.startsWith('No event is declared'));

  it('is told at start-up that its API accepts any subscription', async () => {
    expect(ofEvents(await warningsOf({ api }))).toEqual([
      'No event is declared, so the REST API accepts any subscription, to misspelt events as well, and the page has no ' +
        "events to choose from. Declare those that are sent: events: defineEvents({ 'order.placed': { description: '…' } }). " +
        "Where any name is meant, say eventTypes: ['*'].",
    ]);
  });

  it('is not told so without the API, or where it says that it means any event', async () => {
    expect(ofEvents(await warningsOf())).toEqual([]);
    await app!.close();
    expect(ofEvents(await warningsOf({ api, eventTypes: ['*'] }))).toEqual([]);
  });
});

describe('an entity whose events have no payload', () => {
  it('is logged at start-up with the names of those events', async () => {
    @Entity()
    @WebhookEvent<Note>('note.written', { on: 'create' })
    @WebhookEvent<Note>('note.removed', { on: 'delete', payload: ({ id }) => ({ id }) })
    @WebhookEvent<Note>('note.changed', { on: [{ change: ['text'] }, { change: ['title'] }] })
    class Note {
      @PrimaryGeneratedColumn() id!: number;
      @Column() text!: string;
      @Column() title!: string;
    }
    @Entity()
    @Webhooks<Bell>({ payload: () => ({}) })
    @WebhookEvent<Bell>('bell.rung', { on: 'create' })
    class Bell {
      @PrimaryGeneratedColumn() id!: number;
    }

    const lines = await warningsOf({}, [], [Note, Bell]);

    expect(lines.filter((line) => line.includes('empty object'))).toEqual([
      'The data of note.written, note.changed is an empty object: Note has no payload. Name what subscribers may see: ' +
        '@Webhooks<Note>({ payload: ({ id }) => ({ id }) }). If they may see nothing, write payload: () => ({}).',
    ]);
  });
});

describe('a payload that returns undefined', () => {
  const withSubscriber = { subscribers: { '*': 'https://warehouse.example.com/hooks' } };
  const reason =
    'returned undefined. Return what subscribers may see; in an arrow function, an object stands in parentheses: ';
  /** Braces that were meant as an object. */
  const forgotten = (row: { readonly id: number }) => void row.id;

  it('fails the transaction with propagateErrors, else is logged; by hand it fails', async () => {
    @Entity()
    @WebhookEvent<Slip>('slip.kept', { on: 'change', payload: forgotten })
    @WebhookEvent<Slip>('slip.made', { on: 'create', payload: forgotten, propagateErrors: true })
    class Slip {
      @PrimaryColumn() id!: number;
      @Column() text!: string;
    }
    const lines = await warningsOf(withSubscriber, [], [Slip]);
    const slips = app!.get(DataSource).getRepository(Slip);

    const made = `payload of @WebhookEvent('slip.made') on Slip ${reason}payload: (it)`;
    await expect(slips.save({ id: 1, text: 'a' })).rejects.toThrow(made);
    expect(await slips.count()).toBe(0);

    await app!.get(DataSource).query("INSERT INTO slip (id, text) VALUES (2, 'b')");
    await slips.save({ id: 2, text: 'c' });
    expect(lines.filter((line) => line.includes('slip.kept'))).toEqual([
      expect.stringContaining(
        `Slip: the event slip.kept is dropped: payload of @WebhookEvent('slip.kept') on Slip ${reason}`,
      ),
    ]);
    const slip = await slips.findOneByOrFail({ id: 2 });
    const byHand = app!.get(WebhookDispatcher).sendFor(slip, 'slip.kept');
    await expect(byHand).rejects.toThrow(InvalidInputError);
  });

  it('is refused of a method as well', async () => {
    @Injectable()
    class Orders {
      @WebhookEvent('order.placed', { data: forgotten, propagateErrors: true })
      async place(id: number): Promise<{ id: number }> {
        return { id };
      }
    }
    await warningsOf(withSubscriber, [Orders]);

    await expect(app!.get(Orders).place(1)).rejects.toThrow(
      `data of @WebhookEvent('order.placed') on Orders.place ${reason}data: (it)`,
    );
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
        'If subscribers may see one of them, name it in notSecret instead.',
      'Payloads of events are given apiKey of Account, named like secrets, and may send them. ' +
        "Hide them: @Webhooks<Account>({ hidden: ['apiKey'] }). " +
        'If subscribers may see one of them, name it in notSecret instead.',
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
