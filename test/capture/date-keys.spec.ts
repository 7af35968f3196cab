import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import {
  type CaptureDatabase,
  openCaptureApp,
  openDataSource,
} from '../support/apps/capture-app.js';
import { planCapture } from '../../lib/typeorm/entities/entity-plan.js';

@Entity('stamps')
@WebhookEvent<Stamp>('stamp', { on: 'create' })
class Stamp {
  @PrimaryColumn({ type: 'timestamptz' }) at!: Date;
}

@Entity('spans')
@WebhookEvent<Span>('span', { on: 'create' })
class Span {
  @PrimaryColumn({ type: 'interval' }) length!: unknown;
}

@Entity('ticks')
@WebhookEvent<Tick>('tick', { on: 'create' })
class Tick {
  @PrimaryColumn({ type: 'datetime', precision: 6 }) at!: Date;
}

@Entity('visits')
@WebhookEvent<Visit>('visit', { on: 'create' })
class Visit {
  @PrimaryColumn() room!: number;
  @CreateDateColumn({ primary: true }) at!: Date;
}

@Entity('beats')
@Webhooks<Beat>({ payload: ({ at, note }) => ({ at, note }) })
@WebhookEvent<Beat>('beat.created', { on: 'create' })
@WebhookEvent<Beat>('beat.changed', { on: 'change' })
@WebhookEvent<Beat>('beat.removed', { on: 'delete' })
class Beat {
  @PrimaryColumn({ type: Date, precision: 3 }) at!: Date;
  @Column() note!: string;
}

@Entity('strikes')
class Strike {
  @PrimaryColumn({ type: 'timestamptz' }) at!: Date;
}

describe('a date as a primary key', () => {
  it.each<[CaptureDatabase, new () => object, string, string]>([
    ['postgres', Stamp, 'at', 'Give at precision: 3, or give Stamp another primary key'],
    ['postgres', Visit, 'at', 'Give at precision: 3, or give Visit another primary key'],
    ['postgres', Span, 'length', 'give Span another primary key'],
    ['mariadb', Tick, 'at', 'Give at precision: 3'],
    ['sqlite', Visit, 'at', 'Let the application set at, without a default'],
  ])('is refused at the start where JavaScript reads it in part: %s %o', async (...of) => {
    const [kind, entity, column, fix] = of;
    const { dataSource, close } = await openDataSource(kind, [entity]);
    expect(() => planCapture(dataSource)).toThrow(
      expect.objectContaining({
        code: 'THORN_DECLARATION_INVALID',
        message: expect.stringContaining(fix) as string,
        data: { entity: entity.name, column },
      }) as Error,
    );
    await close();
  });

  it('may be anything where there are no events', async () => {
    const { dataSource, close } = await openDataSource('postgres', [Strike]);
    expect(planCapture(dataSource).entities.size).toBe(0);
    await close();
  });

  it.each(['postgres', 'mariadb', 'sqlite'] as const)(
    'finds its rows in milliseconds, on %s',
    async (kind) => {
      const app = await openCaptureApp(kind, [Beat]);
      const { manager } = app.dataSource;
      const at = new Date('2026-01-02T03:04:05.678Z');
      await manager.insert(Beat, { at, note: 'a' });
      await manager.update(Beat, { note: 'a' }, { note: 'b' });
      await manager.save(Beat, { at, note: 'c' });
      await manager.delete(Beat, { note: 'c' });
      const shown = (note: string) => JSON.stringify({ at, note });
      expect(app.received()).toEqual([
        `beat.created ${shown('a')}`,
        `beat.changed ${shown('b')}`,
        `beat.changed ${shown('c')}`,
        `beat.removed ${shown('c')}`,
      ]);
      await app.close();
    },
  );
});
