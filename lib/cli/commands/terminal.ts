import { ThornError } from '../../errors/index.js';
import { readFile, writeFile } from 'node:fs/promises';

/** Thrown when a command was called in a wrong way, or with input that cannot be read: exit code 2. */
export class UsageError extends ThornError {
  readonly code = 'THORN_USAGE';

  // Made public: the base class is abstract.
  constructor(message: string) {
    super(message);
  }
}

export interface Terminal {
  /** Writes a line of the result. */
  out(line: string): void;
  /** The same, byte by byte. */
  bytes(bytes: Buffer): void;
  /** Writes a line about it. */
  note(line: string): void;
  /** True when output may be coloured: to a terminal, unless the environment sets NO_COLOR. */
  readonly hasColours: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The bytes of a file; `-` is the standard input. */
  read(file: string): Promise<Buffer>;
  /** Once it was asked for: aborted by the first Ctrl-C or SIGTERM; the second one ends the process. */
  readonly interrupted: AbortSignal;
}

export function processTerminal(): Terminal {
  let controller: AbortController | null = null;
  // The reader of the output may close it early.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  return {
    out: (line) => void process.stdout.write(`${line}\n`),
    bytes: (bytes) => void process.stdout.write(bytes),
    note: (line) => void process.stderr.write(`${line}\n`),
    hasColours: process.stdout.isTTY && !process.env['NO_COLOR'],
    env: process.env,
    read: readBytes,
    get interrupted() {
      if (controller === null) {
        const stop = () => controller!.abort();
        controller = new AbortController();
        process.once('SIGINT', stop).once('SIGTERM', stop);
      }
      return controller.signal;
    },
  };
}

async function readBytes(file: string): Promise<Buffer> {
  if (file === '-') {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  }
  try {
    return await readFile(file);
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`);
  }
}

/** Makes a file, or replaces the text in it. */
export async function writeText(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (error) {
    throw new UsageError(`${file} cannot be written: ${(error as Error).message}`);
  }
}
