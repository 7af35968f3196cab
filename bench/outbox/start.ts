import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median, paced, reportValue } from '../harness.js';
import type { Ground } from './ground.js';

/** What a minimal application is started with. */
export interface StartTask {
  readonly database: string;
  /** The main entry point of the package; null: without the module. */
  readonly entry: string | null;
  /** True: the tables are made, which an application in production leaves to migrations. */
  readonly synchronize: boolean;
}

/** What it says of its start. */
export interface Started {
  readonly milliseconds: number;
  readonly megabytes: number;
}

const TURNS = { warmUp: 0, turn: 0, rounds: 15 };

/**
 * The start of a minimal application, from the beginning of its process until it listens, with the module against
 * without: one entity on SQLite, whose tables are there. The package is built first, and started as users do.
 */
export async function start({ services }: Ground): Promise<void> {
  execFileSync('npm', ['run', 'build'], { stdio: 'ignore' });
  const tasks = [null, resolve('dist/index.js')].map((entry) => {
    const { database } = services.sqlite() as { readonly database: string };
    return { entry, database, synchronize: false };
  });
  for (const task of tasks) await started({ ...task, synchronize: true });
  const differences: Started[] = [];
  for (let left = paced(TURNS).rounds; left > 0; left--) {
    const [without, within] = [await started(tasks[0]!), await started(tasks[1]!)];
    differences.push({
      milliseconds: within.milliseconds - without.milliseconds,
      megabytes: within.megabytes - without.megabytes,
    });
  }
  const middle = (of: keyof Started) => median(differences.map((one) => one[of]));
  reportValue('outbox.start-time', middle('milliseconds'), 'ms', 150);
  reportValue('outbox.start-memory', middle('megabytes'), 'MB', 15);
}

async function started(task: StartTask): Promise<Started> {
  const file = fileURLToPath(new URL('start-application.js', import.meta.url));
  const child = fork(file, [JSON.stringify(task)]);
  const exited = once(child, 'exit');
  const [said] = (await Promise.race([
    once(child, 'message'),
    exited.then(([code]) => Promise.reject(new Error(`the application ended with ${code}`))),
  ])) as [Started];
  await exited;
  return said;
}
