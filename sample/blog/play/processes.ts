import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Report } from './child.js';

/** A program of the sample that runs in a process of its own. */
export interface Program {
  readonly url: string;
  /** Lets it finish what it is doing, and waits for its end. */
  readonly stop: () => Promise<void>;
  /** Ends it at once, as `kill -9` does: it learns nothing of it. */
  readonly kill: () => Promise<void>;
}

/**
 * Starts a program beside this folder and waits until it listens. It ends when this process ends, even if that is
 * killed: the channel between the two closes.
 *
 * @param name of the file, without its extension
 * @param port 0 for any free one
 */
export async function start(
  name: string,
  port: number,
  onReport: (report: Report) => void = () => {},
): Promise<Program> {
  const child = fork(fileURLToPath(new URL(`../${name}.js`, import.meta.url)), {
    env: { ...process.env, PORT: String(port) },
  });
  child.on('message', (report) => onReport(report as Report));
  return { url: await ready(name, child), stop: () => stop(child), kill: () => kill(child) };
}

/**
 * Starts a program that knows nothing of this one, and waits until it answers on its port. It ends as {@link start}'s do.
 *
 * @param path of the file, without its extension
 * @param environment beside our own
 */
export async function startApplication(
  path: string,
  port: number,
  environment: Readonly<Record<string, string>> = {},
): Promise<Program> {
  const child = fork(fileURLToPath(new URL(`../${path}.js`, import.meta.url)), {
    env: { ...process.env, ...environment, PORT: String(port) },
    execArgv: ['--import', new URL('end-with-parent.js', import.meta.url).href],
  });
  const url = `http://127.0.0.1:${port}`;
  const answers = () => fetch(url).then(Boolean, () => false);
  while (!(await answers())) {
    if (child.exitCode !== null) throw new Error(`${path} ended at once with ${child.exitCode}`);
    await setTimeout(50);
  }
  return { url, stop: () => stop(child), kill: () => kill(child) };
}

/** Tells whether another program listens on a port of this machine. */
export function isInUse(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(true) : reject(error),
    );
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(false)));
  });
}

function ready(name: string, child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${name} ended at once with code ${code}`)));
    child.on('message', (report: Report) => {
      if ('ready' in report) resolve(report.ready);
    });
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const end = once(child, 'exit');
  if (child.connected) child.disconnect();
  await end;
}

async function kill(child: ChildProcess): Promise<void> {
  const end = once(child, 'exit');
  child.kill('SIGKILL');
  await end;
}
