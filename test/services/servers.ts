import type { TestProject } from 'vitest/node';
import { startMariadb } from './mariadb.js';
import { startPostgres } from './postgres.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** A PostgreSQL server that tests may create databases on. */
    postgresUrl: string;
    /** A MariaDB server that tests may create databases on. */
    mariadbUrl: string;
  }
}

/** Vitest's global set-up: the databases of the whole run, started side by side, stopped and removed at its end. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const starting = [startPostgres(), startMariadb()] as const;
  const started = await Promise.allSettled(starting);
  const stop = async () => {
    const servers = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    await Promise.all(servers.map((server) => server.stop()));
  };
  try {
    const [postgres, mariadb] = await Promise.all(starting);
    project.provide('postgresUrl', postgres.url);
    project.provide('mariadbUrl', mariadb.url);
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}
