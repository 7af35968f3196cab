import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { DataSourceOptions } from 'typeorm';
import { openBullMqApp } from '../../test/support/apps/bullmq-app.js';
import type { OutboxApp } from '../../test/support/apps/outbox-app.js';
import { DATA } from '../outbox/contender.js';

/** What a worker is told. */
export interface WorkerTask {
  readonly options: DataSourceOptions;
  readonly connection: { readonly host: string; readonly port: number };
  readonly urls: readonly string[];
}

/** What a worker says of itself. */
export interface Word {
  readonly delivered: number;
  /** Microseconds of this process alone, of all its threads. */
  readonly cpu: number;
}

/** A process that only sends; leases outlast the whole measurement. */
export function openSender({ options, connection }: WorkerTask): Promise<OutboxApp> {
  return openBullMqApp({ options }, { connection, worker: false, isLogged: false, lease: 600_000 });
}

/** Sends so many messages, one after the other as requests would. */
export async function fill(sender: OutboxApp, messages: number): Promise<void> {
  for (let sent = 0; sent < messages; sent++) {
    await sender.pipeline.send([sender.message({ data: DATA })]);
  }
}

export function startWorkers(task: WorkerTask, count: number): readonly ChildProcess[] {
  return Array.from({ length: count }, () =>
    fork(fileURLToPath(new URL('worker.js', import.meta.url)), [JSON.stringify(task)]),
  );
}

const words = new WeakMap<ChildProcess, Word>();

/**
 * Resolves when the workers have made so many deliveries together.
 *
 * @throws Error when one of them ends before
 */
export function reached(
  children: readonly ChildProcess[],
  goal: number,
): Promise<Word & { readonly at: number }> {
  return new Promise((resolve, reject) => {
    const sum = (value: (word: Word) => number) =>
      children.reduce((total, child) => {
        const word = words.get(child);
        return word === undefined ? total : total + value(word);
      }, 0);
    const note = function (this: ChildProcess, word: unknown) {
      words.set(this, word as Word);
      const delivered = sum((one) => one.delivered);
      if (delivered < goal) return;
      for (const child of children) child.off('message', note).off('exit', gone);
      resolve({ delivered, cpu: sum(({ cpu }) => cpu), at: performance.now() });
    };
    const gone = (code: number | null) => reject(new Error(`a worker ended with ${code}`));
    for (const child of children) child.on('message', note).on('exit', gone);
  });
}
