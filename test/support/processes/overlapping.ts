import 'reflect-metadata';
import { writeSync } from 'node:fs';
import { setTimeout as passes } from 'node:timers/promises';
import type { DataSourceOptions } from 'typeorm';
import { Article, openOutboxApp } from '../apps/outbox-app.js';

/** What the process is told. */
export interface OverlappingTask {
  readonly options: DataSourceOptions;
  /** How many callers write at the same time. */
  readonly writers: number;
}

const { options, writers } = JSON.parse(process.argv[2]!) as OverlappingTask;
const app = await openOutboxApp({ options }, { synchronize: false, queryTimeout: 20_000 });
const article = (title: string) => Object.assign(new Article(), { title });

/** Writes for ever, and says what has been acknowledged; every third transaction is rolled back. */
async function write(writer: number): Promise<never> {
  for (let n = 0; ; n++) {
    const title = `${writer}.${n}`;
    await passes(n % 3);
    try {
      await app.dataSource.transaction(async (manager) => {
        await manager.save(article(`${title}.a`));
        await passes((writer + n) % 4);
        await manager.save(article(`${title}.b`));
        if ((writer + n) % 3 === 0) throw new Error('rolled back');
      });
      writeSync(1, `saved ${title}.a\nsaved ${title}.b\n`);
    } catch (error) {
      if ((error as Error).message !== 'rolled back') throw error;
    }
    const { id } = await app.send();
    writeSync(1, `sent ${id}\n`);
  }
}

writeSync(1, 'ready\n');
await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
