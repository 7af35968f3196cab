import {
  Column,
  CreateDateColumn,
  Entity,
  ManyToOne,
  PrimaryGeneratedColumn,
  type Relation,
} from 'typeorm';
import { describe, expect, it } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import { ReportedEntities } from '../../lib/typeorm/triggers/reported-entities.js';
import { CAPTURE_DATABASES, openCaptureApp } from '../support/apps/capture-app.js';
import { reportChanges } from '../support/reported-changes.js';

class Address {
  @Column({ default: 'Rome' }) city!: string;
}

@Entity()
class Owner {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
}

const cents = { from: (value: number) => value / 100, to: (value: number) => value * 100 };

@Entity()
@Webhooks<Thing>({
  payload: (row, { changes }) => ({ ...row, changes, isThing: row instanceof Thing }),
  owner: 'owner.name',
  hidden: ['pin'],
})
@WebhookEvent<Thing>('thing.created', { on: 'create' })
@WebhookEvent<Thing>('thing.changed', { on: 'change', when: { level: { gt: 1 } } })
@WebhookEvent<Thing>('thing.removed', { on: 'delete' })
class Thing {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ type: 'varchar', nullable: true }) text!: string | null;
  @Column({ type: 'bigint' }) big!: string;
  @Column({ type: 'decimal', precision: 20, scale: 4 }) exact!: string;
  @Column({ type: 'date' }) day!: string;
  @Column({ type: Date }) at!: Date;
  @Column({ type: Boolean }) flag!: boolean;
  @Column({ type: 'simple-array' }) list!: string[];
  @Column({ type: 'json' }) json!: unknown;
  @Column({ type: 'simple-json' }) simple!: unknown;
  @Column({ type: 'int', transformer: cents }) price!: number;
  @Column({ type: 'varchar', select: false }) hash!: string;
  @Column() pin!: string;
  @Column({ default: 0 }) level!: number;
  @Column(() => Address) address!: Address;
  @CreateDateColumn() createdAt!: Date;
  @ManyToOne(() => Owner) owner!: Relation<Owner>;
}

const VALUES = {
  ...{ text: 'Ä "x"', big: '9007199254740993', exact: '1234567890123.4567', day: '2026-02-03' },
  ...{ at: new Date('2026-02-03T04:05:06.000Z'), flag: true, list: ['a', 'b'], price: 1.25 },
  ...{ json: { a: [1, null] }, simple: { b: 'c' }, hash: 'h4sh', pin: '1234' },
};

// Drivers of SQLite read numbers as such.
const OF_SQLITE = { big: 12 as unknown as string, exact: 1.5 as unknown as string };

describe.each(CAPTURE_DATABASES)(
  'what payloads get of changes that triggers report, on %s',
  (kind) => {
    it('is what they get by hooks', async () => {
      const values = kind === 'sqlite' ? { ...VALUES, ...OF_SQLITE } : VALUES;
      const sent: string[][] = [];
      for (const capture of ['hooks', 'triggers'] as const) {
        const app = await openCaptureApp(kind, [Thing, Owner], { capture });
        const { manager } = app.dataSource;
        const tables = new ReportedEntities(app.capture);
        const take = await reportChanges(app.dataSource, tables);
        const [one, other] = await manager.save(Owner, [{ name: 'ann' }, { name: 'bob' }]);
        const thing = await manager.save(Thing, { ...values, createdAt: VALUES.at, owner: one! });
        await manager.save(Thing, {
          ...{ id: thing.id, text: null, level: 2, flag: false, owner: other!, pin: '9' },
          address: { city: 'Oslo' },
        });
        await manager.update(Thing, { id: thing.id }, { pin: '99' });
        await manager.delete(Thing, { id: thing.id });
        const reported = await take();
        const messages =
          capture === 'hooks' ? app.strategy.released : await tables.messagesOf(reported);
        sent.push(
          messages.map(({ event, owner, json }) => {
            const { data } = JSON.parse(json.toString()) as { data: object };
            return `${event} of ${owner}: ${JSON.stringify(data, Object.keys(flat(data)).sort())}`;
          }),
        );
        if (capture === 'triggers') {
          expect(JSON.stringify(reported)).not.toMatch(/h4sh|1234"/);
        }
        await app.close();
      }

      expect(sent[0]).toHaveLength(3);
      expect(sent[1]).toEqual(sent[0]);
    });
  },
);

/** All names within an object, so that they can be sorted. */
function flat(data: object): Record<string, true> {
  const names: Record<string, true> = {};
  JSON.stringify(data, (name, value: unknown) => {
    names[name] = true;
    return value;
  });
  return names;
}
