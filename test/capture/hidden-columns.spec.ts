import { IsString } from 'class-validator';
import {
  Column,
  Entity,
  JoinColumn,
  JoinTable,
  ManyToMany,
  ManyToOne,
  PrimaryGeneratedColumn,
} from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import { planCapture } from '../../lib/typeorm/entities/entity-plan.js';
import { secretColumns } from '../../lib/capture/plan/declaration-warnings.js';
import { dataSchemaOf } from '../../lib/event/index.js';
import { openCaptureApp, openDataSource, type CaptureApp } from '../support/apps/capture-app.js';

class Contact {
  @Column({ default: '' }) mail!: string;
  @Column({ default: '' }) pinCode!: string;
}

@Entity()
class Team {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ default: '' }) inviteToken!: string;
}

/** Has no events: others refer to it. */
@Entity()
@Webhooks<Member>({ hidden: ['passwordHash'] })
class Member {
  @PrimaryGeneratedColumn() id!: number;
  @Column() @IsString() name!: string;
  @Column({ default: 'old' }) @IsString() passwordHash!: string;
}

abstract class Person {
  @Column({ default: 'old' }) passwordHash!: string;
}
Webhooks<Person>({ hidden: ['passwordHash'] })(Person);

@Entity()
@Webhooks<User>({
  hidden: ['contact', 'team', 'tenant'],
  notSecret: ['contentHash'],
  owner: 'tenant',
  relations: ['boss', 'later'],
  payload: (row, { before, changes, related }) => ({ row, before, changes, related }),
})
@WebhookEvent<User>('user.created', { on: 'create' })
@WebhookEvent<User>('user.changed', { on: 'change' })
@WebhookEvent<User>('user.removed', { on: 'delete' })
@WebhookEvent<User>('user.secured', { on: { change: ['passwordHash'] } })
@WebhookEvent<User>('user.reset', { on: 'change', when: { passwordHash: { nowEq: 'none' } } })
@WebhookEvent<User>('user.befriended', { on: { added: 'friends' } })
class User extends Person {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
  @Column({ default: 't1' }) tenant!: string;
  @Column({ default: 'abc' }) contentHash!: string;
  @Column({ select: false, default: 'old' }) apiKey!: string;
  @Column(() => Contact) contact!: Contact;
  @Column({ type: 'int', nullable: true }) teamId!: number | null;
  @ManyToOne(() => Team, { nullable: true }) @JoinColumn({ name: 'teamId' }) team!: Team | null;
  @ManyToOne(() => Member, { nullable: true }) boss!: Member | null;
  @ManyToOne(() => Member, { nullable: true, lazy: true }) later!: Promise<Member | null>;
  @ManyToMany(() => Member) @JoinTable() friends!: Member[];
}

const SECRET = /old|new|none|passwordHash|apiKey|pinCode|1234|team|tenant|t1/;

describe('hidden columns of an entity', () => {
  let app: CaptureApp;
  let boss: Member;
  let team: Team;

  beforeAll(async () => {
    app = await openCaptureApp('sqlite', [User, Member, Team]);
    boss = await app.dataSource.manager.save(Member, { name: 'Ada' });
    team = await app.dataSource.manager.save(Team, { inviteToken: '1234' });
  });
  afterAll(() => app.close());
  beforeEach(() => void app.received());

  const stored = async (values: object = {}): Promise<number> => {
    const { id } = await app.dataSource.manager.save(User, { name: 'Bob', boss, ...values });
    app.received();
    return id;
  };
  const update = (id: number, values: object) =>
    app.dataSource.manager.save(User, { id, ...values });

  it('are in no row, before or change, of no statement, for all the row holds', async () => {
    const { manager } = app.dataSource;
    const contact = { mail: 'a@b.c', pinCode: '1234' };
    const values = { name: 'Bob', boss, contact, team, later: boss as never };
    const { identifiers } = await manager.insert(User, values);
    const { id } = identifiers[0] as { id: number };
    const changed = { name: 'Eve', passwordHash: 'new', apiKey: 'new', tenant: 't1' };
    await update(id, { ...changed, contact: { pinCode: '12345' }, friends: [boss] });
    await manager.update(User, { id }, { ...changed, name: 'Carl', passwordHash: 'none' });
    await manager.delete(User, { id });

    const received = app.received();
    expect(received.map((line) => line.split(' ')[0]!.slice(5)).sort()).toEqual([
      ...['befriended', 'changed', 'changed', 'created', 'removed', 'reset', 'secured', 'secured'],
    ]);
    for (const line of received) {
      expect(line).toMatch(/"name":"(Bob|Eve|Carl)"/);
      expect(line.replaceAll(/user\.\w+/g, '')).not.toMatch(SECRET);
    }
    expect(received.join()).toContain('"boss":{"id":1,"name":"Ada"}');
    expect(received.join()).toContain('"related":[{"id":1,"name":"Ada"}]');
    expect(received.join()).toContain('"changes":{"name":{"from":"Eve","to":"Carl"}}');
  });

  it('are seen by the paths of owners', async () => {
    await app.dataSource.manager.save(User, { name: 'Bob', tenant: 't7' });
    expect(app.bodies()).toEqual([expect.objectContaining({ owner: 't7' })]);
  });

  it.each([
    [{ passwordHash: 'new' }, ['user.secured']],
    [{ passwordHash: 'none' }, ['user.secured', 'user.reset']],
    [{ contact: { mail: 'd@e.f' } }, []],
    [{ team: { id: 1 } }, []],
    [{ teamId: 1 }, []],
    [{ name: 'Eve', teamId: 1 }, ['user.changed']],
  ])('send of the change %j what names them', async (values, events) => {
    await update(await stored(), values);
    expect(app.received().map((line) => line.split(' ')[0])).toEqual(events);
  });

  it('count as little in a row that has taken the place of another', async () => {
    const id = await stored({ teamId: 1 });
    await app.dataSource.transaction(async (manager) => {
      const { name, boss: same } = await manager.findOneOrFail(User, {
        where: { id },
        relations: { boss: true },
      });
      await manager.delete(User, { id });
      await manager.insert(User, { id, name, boss: same, passwordHash: 'new' });
    });
    expect(app.received().map((line) => line.split(' ')[0])).toEqual(['user.secured']);
  });

  it('are not in a schema that is made from the class', () => {
    const schema = dataSchemaOf({ name: 'member.added', source: 'here', schema: Member });
    expect(schema).toEqual({
      type: 'object',
      properties: { name: { type: 'string' } },
      required: ['name'],
    });
  });
});

describe('the columns of an entity that are named like secrets', () => {
  const found = async (columns: Readonly<Record<string, object>>): Promise<readonly string[]> => {
    class Row {
      id!: number;
    }
    for (const [name, options] of Object.entries(columns)) Column(options)(Row.prototype, name);
    PrimaryGeneratedColumn()(Row.prototype, 'id');
    WebhookEvent<Row>('row.changed', { on: 'change', payload: (row) => row })(Row);
    Entity()(Row);
    const { dataSource, close } = await openDataSource('sqlite', [Row]);
    const plans = [...planCapture(dataSource).entities.values()];
    await close();
    return secretColumns(plans).flatMap(({ properties }) => properties);
  };
  const text = { type: 'varchar', default: '' };

  it.each(
    ['password', 'passwordHash', 'password_hash', 'hash', 'token', 'refreshToken', 'secret'].concat(
      ['apiKey', 'APIKey', 'clientSecret2', 'salt', 'recoveryCodes', 'privateKey', 'accessTokens'],
    ),
  )('are found: %s', async (name) => {
    expect(await found({ [name]: text })).toEqual([name]);
  });

  it.each(['hashtag', 'tokenId', 'passage', 'secretary', 'keyword', 'monkey', 'description'])(
    'are not such as %s',
    async (name) => {
      expect(await found({ [name]: text })).toEqual([]);
    },
  );

  it('are judged by the name of the column, and by its type', async () => {
    const named = await found({
      pass: { ...text, name: 'password_hash' },
      passwordChangedAt: { type: 'datetime', nullable: true },
      tokenCount: { type: 'int', default: 0 },
      tokens: { type: 'simple-json', nullable: true },
      secret: { ...text, select: false },
    });
    expect(named).toEqual(['pass', 'tokens']);
  });
});
