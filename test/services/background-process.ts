import { spawn } from 'node:child_process';

/** A program that ends with this process, even when this process is killed. */
export interface BackgroundProcess {
  /** Sends a signal. With a signal that ends the program, resolves once the program has ended. */
  kill(signal: NodeJS.Signals): Promise<void>;
  end(): Promise<void>;
}

/** Options for {@link startInBackground}. */
export interface BackgroundProcessOptions {
  readonly command: readonly string[];
  /** Its environment. Default: ours. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What the program prints once it takes connections. Default: the caller does not wait. */
  readonly ready?: RegExp;
}

const READY_WITHIN = 120_000;
const ENDING: ReadonlySet<string> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGQUIT']);

/** A shell between us and the program holds a pipe to us: when it closes, because we asked or because we died, it ends the program. */
const KEEPER = `
"$@" </dev/null & program=$!
echo "pid $program"
(cat >/dev/null; kill -KILL $program) <&3 2>/dev/null & reader=$!
wait $program
kill $reader 2>/dev/null
exit 0`;

/** Starts a program. @throws Error with the program's output when the program does not start */
export async function startInBackground({
  command,
  env = process.env,
  ready,
}: BackgroundProcessOptions): Promise<BackgroundProcess> {
  const keeper = spawn('sh', ['-c', `exec 3<&0; ${KEEPER}`, 'sh', ...command], {
    cwd: '/',
    env: { ...env },
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  });
  const ended = new Promise<void>((resolve) => keeper.once('exit', () => resolve()));
  const end = async () => {
    keeper.ref();
    keeper.stdin.end();
    await ended;
  };
  try {
    const pid = await started(keeper.stdout, ready ?? /^pid/);
    keeper.unref();
    const kill = async (signal: NodeJS.Signals) => {
      process.kill(pid, signal);
      if (ENDING.has(signal)) await ended;
    };
    return { kill, end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** The program's process id, once it is ready. */
function started(log: NodeJS.ReadableStream, isReady: RegExp): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = '';
    const late = setTimeout(
      () => reject(new Error(`not ready within ${READY_WITHIN} ms: ${text}`)),
      READY_WITHIN,
    );
    log.on('data', (chunk: Buffer) => {
      if (text.length < 100_000) text += chunk.toString();
      const pid = /^pid (\d+)$/m.exec(text)?.[1];
      if (pid === undefined || !isReady.test(text)) return;
      clearTimeout(late);
      resolve(Number(pid));
    });
    log.once('close', () => {
      clearTimeout(late);
      reject(new Error(text || 'it ended at once'));
    });
  });
}
