import { Logger } from '@nestjs/common';
import { Column, Entity, ManyToOne, PrimaryGeneratedColumn } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import { openCaptureApp, type CaptureApp } from '../support/apps/capture-app.js';
import { DATABASES_ALIKE } from '../support/capture-databases.js';

class Address {
  #city = '';
  @Column({ type: 'varchar' })
  get city(): string {
    return this.#city;
  }
  set city(city: string) {
    this.#city = city.trim();
  }
}

/** Columns behind accessors, and a method with a private field. */
@Entity()
@Webhooks<Person>({
  payload: (row, { before, changes }) => [row.label(), row.address.city, before?.email, changes],
})
@WebhookEvent<Person>('person', { on: ['create', 'change', 'delete'] })
@WebhookEvent<Person>('person.renamed', { on: 'change', when: { changes: { email: { to: 'z' } } } })
@WebhookEvent<Person>('person.reset', { on: { change: ['pin'] }, payload: ({ pin }) => ({ pin }) })
class Person {
  #email!: string;
  #pin!: string | null;
  readonly #label = 'Mr';

  @PrimaryGeneratedColumn() id!: number;
  @Column({ type: 'varchar' })
  get email(): string {
    return this.#email;
  }
  set email(email: string) {
    this.#email = email;
  }
  @Column({ type: 'varchar', nullable: true, select: false })
  get pin(): string | null {
    return this.#pin;
  }
  set pin(pin: string | null) {
    this.#pin = pin;
  }
  @Column(() => Address) address!: Address;
  @ManyToOne(() => Person, { nullable: true }) friend!: Person | null;

  label(): string {
    return `${this.#label} ${this.email}`;
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

describe.each(DATABASES_ALIKE)('entities with private fields on %s', (kind) => {
  let app: CaptureApp;
  const error = vi.spyOn(Logger.prototype, 'error');
  const manager = () => app.dataSource.manager;
  const address = { city: 'Rome' } as Address;

  beforeAll(async () => {
    app = await openCaptureApp(kind, [Person, Ticket]);
  });
  afterAll(() => app.close());
  beforeEach(() => {
    error.mockReset().mockImplementation(() => undefined);
    app.received();
  });

  it('send their events, with what is behind accessors', async () => {
    const friend = await manager().save(Person, { email: 'f', address });
    app.received();
    const person = manager().create(Person, { email: 'a', address });
    await manager().save(person);
    expect(app.received()).toEqual(['person ["Mr a","Rome",null,{}]']);
    await manager().save(Object.assign(person, { email: 'z' }));
    const change = '["Mr z","Rome","a",{"email":{"from":"a","to":"z"}}]';
    expect(app.received()).toEqual([`person ${change}`, `person.renamed ${change}`]);
    await manager().update(Person, person.id, { email: 'b', friend: { id: friend.id } });
    expect(app.received()).toHaveLength(1);
    await manager().remove(await manager().findOneByOrFail(Person, { id: person.id }));
    expect(app.received()).toEqual(['person ["Mr b","Rome","b",{}]']);
    expect(error).not.toHaveBeenCalled();
  });

  it('do not show hidden columns behind accessors', async () => {
    const { id } = await manager().save(Person, { email: 'a', address, pin: '1' });
    app.received();
    await manager().save(Person, { id, pin: '2' });
    expect(app.received()).toEqual(['person.reset {}']);
  });

  it('may have them for their methods alone', async () => {
    const ticket = await manager().save(Ticket, { n: 1 });
    await manager().insert(Ticket, { n: 2 });
    await manager().save(Ticket, { id: ticket.id, n: 3 });
    await manager().transaction(async (inner) => {
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
