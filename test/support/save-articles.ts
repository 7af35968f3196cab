import { setTimeout as wait } from 'node:timers/promises';
import { Article, type OutboxApp } from './apps/outbox-app.js';

/** Saves an article every so many milliseconds. @returns a function that stops the saving */
export function startSavingArticles({ dataSource }: OutboxApp, every: number): () => Promise<void> {
  const stop = new AbortController();
  const saving = (async () => {
    while (!stop.signal.aborted) {
      await dataSource.manager.save(Object.assign(new Article(), { title: 'one of many' }));
      await wait(every);
    }
  })();
  return () => {
    stop.abort();
    return saving;
  };
}
