import { Column, DataSource, Entity, ManyToOne, PrimaryGeneratedColumn } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebhookEvent } from '../../lib/capture/index.js';
import { planCapture } from '../../lib/typeorm/entities/entity-plan.js';
import { openCaptureApp, type CaptureApp } from '../support/apps/capture-app.js';
import { DATABASES_ALIKE } from '../support/capture-databases.js';

/** A column behind an accessor, whose value no copy of the row has. */
@Entity()
@WebhookEvent<Person>('person', { on: 'create' })
class Person {
  #email!: string;

  @PrimaryGeneratedColumn() id!: number;
  @Column({ type: 'varchar' })
  get email(): string {
    return this.#email;
  }
  set email(email: string) {
    this.#email = email;
  }
}

class Address {
  #city = '';
  @Column({ type: 'varchar' })
  get city(): string {
    return this.#city;
  }
  set city(city: string) {
    this.#city = city;
  }
}

/** The same in an embedded object. */
@Entity()
@WebhookEvent<House>('house', { on: 'create' })
class House {
  @PrimaryGeneratedColumn() id!: number;
  @Column(() => Address) address!: Address;
}

/** Without events. */
@Entity()
class Reader {
  #nick!: string;
  @PrimaryGeneratedColumn() id!: number;
  @Column({ type: 'varchar' })
  get nick(): string {
    return this.#nick;
  }
  set nick(nick: string) {
    this.#nick = nick;
  }
}

/** An event reads such a row with its own. */
@Entity()
@WebhookEvent<Letter>('letter', { on: 'create', relations: ['to'], payload: ({ to }) => to })
class Letter {
  @PrimaryGeneratedColumn() id!: number;
  @ManyToOne(() => Reader) to!: Reader;
}

/** An accessor that keeps its value in a property. */
@Entity()
@WebhookEvent<Pet>('pet', {
  on: ['create', 'change'],
  payload: (pet, { before }) => [pet.name, before?.name],
})
class Pet {
  protected _name!: string;
  @PrimaryGeneratedColumn() id!: number;
  @Column({ type: 'varchar' })
  get name(): string {
    return this._name;
  }
  set name(name: string) {
    this._name = name;
  }
}

/** Only its method has a private field. */
@Entity()
@WebhookEvent<Ticket>('ticket', { on: ['create', 'change'], payload: (row) => row.label() })
class Ticket {
  readonly #prefix = 'T-';
  @PrimaryGeneratedColumn() id!: number;
  @Column() n!: number;
  label(): string {
    return `${this.#prefix}${this.n}`;
  }
}

describe('an entity that keeps a column in a private field', () => {
  it.each([
    [Person, 'Person: email is an accessor for a private field'],
    [House, 'House: address.city is an accessor for a private field'],
    [Letter, 'Reader: nick is an accessor for a private field'],
  ])('is refused at the start: %o', async (entity, text) => {
    const entities = entity === Letter ? [Letter, Reader] : [entity];
    const dataSource = await new DataSource({
      type: 'better-sqlite3',
      database: ':memory:',
      entities,
    }).initialize();
    expect(() => planCapture(dataSource)).toThrow(text);
    await dataSource.destroy();
  });
});

describe.each(DATABASES_ALIKE)('entities with private fields on %s', (kind) => {
  let app: CaptureApp;

  beforeAll(async () => {
    app = await openCaptureApp(kind, [Ticket, Pet]);
  });
  afterAll(() => app.close());

  it('may have accessors for properties', async () => {
    const { manager } = app.dataSource;
    const pet = await manager.save(manager.create(Pet, { name: 'Tom' }));
    await manager.save(Object.assign(pet, { name: 'Tim' }));
    expect(app.received()).toEqual(['pet ["Tom",null]', 'pet ["Tim","Tom"]']);
  });

  it('may have them for their methods alone', async () => {
    const ticket = await app.dataSource.manager.save(Ticket, { n: 1 });
    await app.dataSource.manager.insert(Ticket, { n: 2 });
    await app.dataSource.manager.save(Ticket, { id: ticket.id, n: 3 });
    await app.dataSource.manager.transaction(async (inner) => {
      await inner.save(Ticket, { id: ticket.id, n: 4 });
      await inner.update(Ticket, ticket.id, { n: 5 });
    });
    expect(app.received()).toEqual([
      'ticket "T-1"',
      'ticket "T-2"',
      'ticket "T-3"',
      'ticket "T-5"',
    ]);
  });
});
