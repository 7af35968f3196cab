import axios from 'axios';
import {
  Column,
  DataSource,
  type DataSourceOptions,
  Entity,
  LessThanOrEqual,
  PrimaryGeneratedColumn,
} from 'typeorm';
import type { ContenderModule } from '../contenders/forked.js';
import { type Contender, DATA } from './contender.js';

@Entity()
class NaiveDelivery {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ type: 'varchar' })
  url!: string;

  @Column({ type: 'text' })
  body!: string;

  @Column({ type: 'varchar', default: 'pending' })
  status!: string;

  @Column({ type: 'bigint' })
  dueAt!: number;

  @Column({ type: 'int', default: 0 })
  attempts!: number;
}

const BATCH = 100;
const POLL_EVERY = 10;

/** N: what many write by hand, a row for each delivery, looked for at intervals and posted by axios. */
export async function rows(
  name: string,
  options: DataSourceOptions,
  urls: readonly string[],
): Promise<Contender> {
  const dataSource = await new DataSource({
    ...options,
    entities: [NaiveDelivery],
    synchronize: true,
  }).initialize();
  const table = dataSource.getRepository(NaiveDelivery);
  const waiting = new Map<number, () => void>();
  let sending = 0;
  const stopping = new AbortController();
  const worker = (async () => {
    while (!stopping.signal.aborted) {
      // Not during the turns of others.
      const due =
        sending === 0
          ? []
          : await table.find({
              where: { status: 'pending', dueAt: LessThanOrEqual(Date.now()) },
              take: BATCH,
            });
      await Promise.all(
        due.map(async (row) => {
          await axios.post(row.url, row.body, { headers: { 'Content-Type': 'application/json' } });
          row.status = 'succeeded';
          row.attempts++;
          await table.save(row);
          waiting.get(row.id)?.();
          waiting.delete(row.id);
        }),
      );
      if (due.length < BATCH) await new Promise((resolve) => setTimeout(resolve, POLL_EVERY));
    }
  })();
  const send = async (answered: (subscriber: number) => void = () => undefined) => {
    const body = JSON.stringify(DATA);
    sending++;
    const made = urls.map((url) => table.create({ url, body, dueAt: Date.now() }));
    const saved = await table.save(made);
    await Promise.all(
      saved.map(({ id }, place) =>
        new Promise<void>((done) => waiting.set(id, done)).then(() => answered(place)),
      ),
    );
    sending--;
  };
  return {
    name,
    send,
    once: () => send(),
    stop: async () => {
      stopping.abort();
      await worker;
      await dataSource.destroy();
    },
  };
}

/** {@link rows} for a process of its own. */
export const naive: ContenderModule<Parameters<typeof rows>> = {
  url: import.meta.url,
  open: rows,
};
