import { Worker } from 'node:worker_threads';
import type { DataSource, DataSourceOptions } from 'typeorm';

/** Rows that are written between two checkpoints. With four times as many, the requests of an application wait longer. */
const ROWS = 2000;

const THREAD = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { module, file, options } = workerData;
  const database = new (require(module))(file, options);
  parentPort.on('message', (request) => {
    if (request === 'close') {
      database.close();
      parentPort.close();
      return;
    }
    try {
      database.pragma('wal_checkpoint(PASSIVE)');
    } catch {
      // A COMMIT meets the same, and reports it.
    }
    parentPort.postMessage('done');
  });
`;

/** What the thread opens: a file, by the application's own module of better-sqlite3. */
interface Source {
  readonly module: string;
  readonly file: string;
  readonly options: object;
}

/**
 * Copies what was written from the file ending in -wal to the database, on a thread, so that the event loop does not wait
 * for the disk. These checkpoints wait for no transaction, and no transaction waits for them.
 */
export class SqliteCheckpoints {
  #thread: Worker | null = null;
  #rows = 0;
  #isUnderWay = false;

  private constructor(
    private readonly source: Source,
    private readonly onFailure: () => void,
  ) {}

  /**
   * @param onFailure called when the thread has failed
   * @returns null when a thread cannot open the file as the data source does
   */
  static of(dataSource: DataSource, onFailure: () => void): SqliteCheckpoints | null {
    const { options, driver } = dataSource;
    const { database, key, prepareDatabase, nativeBinding } = options as DataSourceOptions & {
      readonly type: 'better-sqlite3';
    };
    if (key !== undefined || prepareDatabase !== undefined) return null;
    const loaded: unknown = Reflect.get(driver, 'sqlite');
    const module = Object.values(require.cache).find((one) => one?.exports === loaded)?.filename;
    if (module === undefined || typeof database !== 'string') return null;
    const opening = { fileMustExist: true, timeout: 0, nativeBinding };
    return new SqliteCheckpoints({ module, file: database, options: opening }, onFailure);
  }

  /** Notes that rows were written, and begins with a checkpoint when they are many. */
  written(rows: number): void {
    this.#rows += rows;
    if (this.#rows < ROWS || this.#isUnderWay) return;
    this.#rows = 0;
    this.#isUnderWay = true;
    this.#thread ??= this.#start();
    this.#thread.postMessage('checkpoint');
  }

  /** Resolves once the thread has closed the file. */
  async close(): Promise<void> {
    const thread = this.#thread;
    if (thread === null) return;
    this.#thread = null;
    thread.removeAllListeners('exit').ref();
    const ended = new Promise((resolve) => thread.once('exit', resolve));
    thread.postMessage('close');
    await ended;
  }

  #start(): Worker {
    // Options of the process, such as modules to load first, are not for this thread.
    const thread = new Worker(THREAD, { eval: true, execArgv: [], workerData: this.source });
    thread.unref();
    thread.on('message', () => (this.#isUnderWay = false));
    thread.on('error', () => undefined);
    thread.on('exit', () => {
      this.#thread = null;
      this.onFailure();
    });
    return thread;
  }
}
