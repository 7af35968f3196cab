import { DataSource, type DataSourceOptions } from 'typeorm';
import { SystemClock } from '../../lib/common/time.js';
import { TypeOrmClient } from '../../lib/database/typeorm-client.js';
import { thornEntities } from '../../lib/typeorm/index.js';
import { DatabaseSubscriberRepository } from '../../lib/subscriber/index.js';
import type { ContenderModule, ForkedCandidate } from '../contenders/forked.js';

/** Finds the subscribers of a message, which reads all of them the first time. */
export async function reader(name: string, options: DataSourceOptions): Promise<ForkedCandidate> {
  const dataSource = new DataSource({ ...options, entities: thornEntities });
  await dataSource.initialize();
  const repository = new DatabaseSubscriberRepository(
    new TypeOrmClient(dataSource),
    new SystemClock(),
  );
  const once = async () => {
    const found = await repository.match({
      event: 'article.created',
      owner: null,
      audience: 'owner',
    });
    if (found.length === 0) throw new Error('there must be something to find');
  };
  return { name, once, stop: () => dataSource.destroy() };
}

/** {@link reader} for a process of its own. */
export const reading: ContenderModule<Parameters<typeof reader>> = {
  url: import.meta.url,
  open: reader,
};
