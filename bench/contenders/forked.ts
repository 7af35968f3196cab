import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Contender } from '../outbox/contender.js';
import type { Candidate } from '../harness.js';
import type { Pace } from '../outbox/latency.js';

/** What a contender in a process of its own can be asked. */
export type Request =
  | { readonly ask: 'rate'; readonly milliseconds: number; readonly inFlight: number }
  | { readonly ask: 'latencies'; readonly pace: Pace; readonly milliseconds: number }
  | { readonly ask: 'cpu' };

/** A contender in a process of its own, as it would be in an application: none runs in what others have left behind. */
export interface Forked {
  readonly name: string;
  /** How often a second it sends an event and has every answer. */
  rate(milliseconds: number, inFlight: number): Promise<number>;
  /** Milliseconds from send to answer, of each answer. */
  latencies(pace: Pace, milliseconds: number): Promise<number[]>;
  /** Microseconds of CPU that its process has used so far. */
  cpu(): Promise<number>;
  stop(): Promise<void>;
}

/**
 * @param module the module, as `import.meta.url` of its own, that exports `open` by its name
 * @param args what `open` is called with there, the contender's name first; plain JSON
 */
export async function forked<Args extends readonly [name: string, ...rest: readonly unknown[]]>(
  { url, open }: ContenderModule<Args>,
  ...args: Args
): Promise<Forked> {
  const child = fork(fileURLToPath(new URL('child.js', import.meta.url)), [
    JSON.stringify({ url, open: open.name, args }),
  ]);
  const ask = (request: Request) => answer(child, () => child.send(request));
  await answer(child, () => undefined);
  return {
    name: args[0],
    rate: (milliseconds, inFlight) =>
      ask({ ask: 'rate', milliseconds, inFlight }) as Promise<number>,
    latencies: (pace, milliseconds) =>
      ask({ ask: 'latencies', pace, milliseconds }) as Promise<number[]>,
    cpu: () => ask({ ask: 'cpu' }) as Promise<number>,
    stop: async () => {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.disconnect();
      await exited;
    },
  };
}

/** What can be measured in a process of its own; without `send`, rates alone. */
export type ForkedCandidate = Candidate &
  Pick<Contender, 'stop'> &
  Partial<Pick<Contender, 'send'>>;

/** Where a contender is made, for a process that has to find it again. */
export interface ContenderModule<Args extends readonly unknown[]> {
  readonly url: string;
  readonly open: (...args: Args) => ForkedCandidate | Promise<ForkedCandidate>;
}

function answer(child: ChildProcess, begin: () => unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const gone = (code: number | null) => reject(new Error(`a contender ended with ${code}`));
    child.once('exit', gone);
    child.once('message', (found) => {
      child.off('exit', gone);
      resolve(found);
    });
    begin();
  });
}
