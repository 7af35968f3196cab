import { DataSource, type DataSourceOptions, type EntityManager } from 'typeorm';
import { newId } from '../../lib/common/id.js';
import { outboxEntities } from '../../lib/typeorm/schema/thorn-schema.js';
import { Article, openOutboxApp, subscriber } from '../../test/support/apps/outbox-app.js';
import type { ContenderModule, ForkedCandidate } from '../contenders/forked.js';

const COLUMNS = [
  ...['id', 'event', 'time', 'owner', 'audience', 'ref', 'headers', 'settings', 'recipients'],
  'body',
];

/** What a save writes beside its row: nothing, in an application without Thorn; or the message of its event. */
export type Beside = 'nothing' | 'unheard event' | 'heard event' | 'row by hand';

/** Saves an entity. Deliveries are left to other processes. */
export function saver(
  name: string,
  options: DataSourceOptions,
  beside: Beside,
): Promise<ForkedCandidate> {
  if (beside === 'nothing') return opened(name, options, [Article], saving);
  if (beside === 'row by hand') {
    return opened(name, options, [Article, ...outboxEntities], inserting);
  }
  return withThorn(name, options, beside === 'heard event');
}

async function withThorn(
  name: string,
  options: DataSourceOptions,
  isHeard: boolean,
): Promise<ForkedCandidate> {
  const app = await openOutboxApp(
    { options },
    { isLogged: false, pollInterval: 1000, worker: !isHeard, leavesOutUnheard: true },
  );
  if (isHeard) await app.subscribers.create(subscriber('http://127.0.0.1:9/'));
  return { name, once: saving(app.dataSource.manager), stop: () => app.close() };
}

async function opened(
  name: string,
  options: DataSourceOptions,
  entities: Function[],
  onceOf: (manager: EntityManager) => () => Promise<unknown>,
): Promise<ForkedCandidate> {
  const dataSource = new DataSource({ ...options, entities, synchronize: true });
  await dataSource.initialize();
  return { name, once: onceOf(dataSource.manager), stop: () => dataSource.destroy() };
}

function saving(manager: EntityManager): () => Promise<unknown> {
  let count = 0;
  return () => manager.save(manager.create(Article, { title: `Article ${count++}` }));
}

/** The one statement that stores a message, as an application would write it. */
function inserting(manager: EntityManager): () => Promise<unknown> {
  let count = 0;
  const isPostgres = manager.dataSource.options.type === 'postgres';
  const marks = COLUMNS.map((_, at) => (isPostgres ? `$${at + 1}` : '?'));
  const sql = `INSERT INTO thorn_messages (${COLUMNS.join(', ')}) VALUES (${marks.join(', ')})`;
  return () =>
    manager.transaction(async (within) => {
      const { id, title } = await within.save(
        within.create(Article, { title: `Article ${count++}` }),
      );
      const now = Date.now();
      const body = JSON.stringify({ event: 'article.created', data: { id, title } });
      await within.query(sql, [
        ...[
          newId('msg_', now).slice(4),
          'article.created',
          now,
          null,
          'everyone',
          null,
          '{}',
          '{}',
          '[]',
          body,
        ],
      ]);
    });
}

/** {@link saver} for a process of its own. */
export const saves: ContenderModule<Parameters<typeof saver>> = {
  url: import.meta.url,
  open: saver,
};
