import { setTimeout as wait } from 'node:timers/promises';
import { Article, type Rig } from './apps/outbox-app.js';

/** Saves articles until it is told to stop, so many milliseconds one after the other. @returns what stops it */
export function savesArticles({ dataSource }: Rig, every: number): () => Promise<void> {
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
