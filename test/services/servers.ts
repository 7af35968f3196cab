import { randomBytes } from 'node:crypto';
import type { TestProject } from 'vitest/node';
import { startChromiumServer } from './chromium.js';
import { startMariadb } from './mariadb.js';
import { startPostgres } from './postgres.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** A PostgreSQL server that tests may create databases on. */
    postgresUrl?: string;
    /** A MariaDB server that tests may create databases on. */
    mariadbUrl?: string;
    /** The browser of the run, which `openChromium` connects to. */
    chromiumUrl: string;
    /** The names of this run's databases begin with it. */
    databasePrefix: string;
  }
}

const isQuick = process.env['THORN_SUITE'] === 'quick';

/** Vitest's global set-up: starts the databases and the browser of the whole run side by side, and removes them at its end. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const prefix = `thorn_${randomBytes(4).toString('hex')}_`;
  const starting = [
    startPostgres(prefix),
    isQuick ? Promise.resolve(null) : startMariadb(),
    startChromiumServer(),
  ] as const;
  const started = await Promise.allSettled(starting);
  const stop = async () => {
    const servers = started.flatMap((one) => (one.status === 'fulfilled' ? (one.value ?? []) : []));
    await Promise.all(servers.map((server) => server.stop()));
  };
  try {
    const [postgres, mariadb, browser] = await Promise.all(starting);
    project.provide('databasePrefix', prefix);
    project.provide('postgresUrl', postgres.url);
    project.provide('chromiumUrl', browser.url);
    if (mariadb !== null) project.provide('mariadbUrl', mariadb.url);
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}
