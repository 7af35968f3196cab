import { Logger } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import { type CaptureApp, openCaptureApp } from '../support/apps/capture-app.js';

/** The database fills its key, with microseconds. */
@Entity('pings')
@Webhooks<Ping>({ payload: ({ host, note }) => ({ host, note }) })
@WebhookEvent<Ping>('ping.created', { on: 'create' })
@WebhookEvent<Ping>('ping.changed', { on: 'change' })
@WebhookEvent<Ping>('ping.removed', { on: 'delete', reread: true })
class Ping {
  @PrimaryColumn({ type: 'timestamptz', default: () => 'clock_timestamp()' }) at!: Date;
  @Column() host!: string;
  @Column({ default: 'new' }) note!: string;
}

@Entity('pings')
@Webhooks<MariaPing>({ payload: ({ host, note }) => ({ host, note }) })
@WebhookEvent<MariaPing>('ping.created', { on: 'create' })
@WebhookEvent<MariaPing>('ping.changed', { on: 'change' })
@WebhookEvent<MariaPing>('ping.removed', { on: 'delete' })
class MariaPing {
  @PrimaryColumn({ type: 'datetime', precision: 6, default: () => 'CURRENT_TIMESTAMP(6)' })
  at!: Date;
  @Column() host!: string;
  @Column({ default: 'new' }) note!: string;
}

describe.each([
  ['postgres', Ping],
  ['mariadb', MariaPing],
] as const)('rows on %s whose key the database fills with microseconds', (kind, Entity) => {
  let rig: CaptureApp;
  const manager = () => rig.dataSource.manager;
  /** What is inserted next is of another millisecond. */
  const tick = async () => {
    const since = Date.now();
    await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(since + 1));
  };

  beforeAll(async () => {
    rig = await openCaptureApp(kind, [Entity]);
  });
  afterAll(() => rig.close());
  beforeEach(async () => {
    await rig.dataSource.query('TRUNCATE TABLE pings');
    rig.received();
  });

  it('send their events', async () => {
    for (const host of ['a', 'b', 'c']) {
      await manager().insert(Entity, { host });
      await tick();
    }
    await manager().save(Entity, { host: 'd' });
    expect(rig.received()).toEqual(
      ['a', 'b', 'c', 'd'].map((host) => `ping.created {"host":"${host}","note":"new"}`),
    );
    await rig.dataSource.transaction(async (inner) => {
      await inner.update(Entity, { host: 'b' }, { note: () => "'set'" });
      await inner.delete(Entity, { host: 'c' });
    });
    expect(rig.received()).toEqual([
      'ping.changed {"host":"b","note":"set"}',
      'ping.removed {"host":"c","note":"new"}',
    ]);
  });

  it('send none that could be of another row, and say so', async () => {
    const error = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    await rig.dataSource.transaction(async (inner) => {
      await inner.insert(Entity, { host: 'a' });
      const type = kind === 'postgres' ? 'milliseconds' : 'MICROSECOND';
      const shifted =
        kind === 'postgres'
          ? `date_trunc('${type}', at) + interval '1 microsecond' * ((extract(microseconds FROM at)::int + 1) % 1000)`
          : `at - INTERVAL MOD(MICROSECOND(at), 1000) ${type} + INTERVAL MOD(MICROSECOND(at) + 1, 1000) ${type}`;
      await inner.query(`INSERT INTO pings (at, host) SELECT ${shifted}, 'twin' FROM pings`);
    });
    expect(rig.received()).toEqual([]);
    expect(error.mock.calls.map(([text]) => String(text))).toEqual([
      expect.stringMatching(/Ping: events of 1 row\(s\) may be missing.*precision: 3/),
    ]);
    error.mockRestore();
  });
});
