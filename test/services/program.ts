import { type ChildProcess, spawn } from 'node:child_process';

/** A command in a process of its own, as somebody types it. */
export class Program {
  out = '';
  notes = '';
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #checks = new Set<() => void>();

  /** @param bin the file of the command; `env` comes in addition to our own */
  constructor(
    bin: string,
    args: readonly string[],
    input: string | Buffer = '',
    env: Readonly<Record<string, string>> = {},
  ) {
    const child = spawn(process.execPath, [bin, ...args], { env: { ...process.env, ...env } });
    child.stdout.on('data', (chunk: Buffer) => {
      this.out += chunk.toString();
      for (const check of this.#checks) check();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      this.notes += chunk.toString();
      for (const check of this.#checks) check();
    });
    this.ended = new Promise((resolve) => child.once('close', resolve));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    this.#child = child;
  }

  /** Resolves with the match once it was written. */
  async wrote(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const check = () => {
        const match = pattern.exec(this.out + this.notes);
        if (match === null) return;
        this.#checks.delete(check);
        resolve(match);
      };
      this.#checks.add(check);
      check();
      void this.ended.then(() => reject(new Error(`ended: ${this.out}${this.notes}`)));
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}
