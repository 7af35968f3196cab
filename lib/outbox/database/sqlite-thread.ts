import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  Worker,
} from 'node:worker_threads';
import type { DataSource, DataSourceOptions } from 'typeorm';
import type { Statement } from './dialect.js';

/** Rows that are written between two checkpoints. With four times as many, the requests of an application wait longer. */
const ROWS = 2000;

// A set comes as JSON: a list of [statement, parameters], where a statement is its text, or the number of one that came.
const THREAD = `
  const { workerData } = require('node:worker_threads');
  const { module, file, options, setUp, port, answers } = workerData;
  const database = new (require(module))(file, options);
  database.exec(setUp);
  const texts = [];
  const prepared = [];
  function run(statements) {
    let changes = 0;
    for (const [at, parameters] of statements) {
      prepared[at] ??= database.prepare(texts[at]);
      changes += prepared[at].run(...parameters).changes;
    }
    return changes;
  }
  function write(statements) {
    for (const statement of statements) {
      if (typeof statement[0] === 'string') statement[0] = texts.push(statement[0]) - 1;
    }
    try {
      database.exec('BEGIN IMMEDIATE');
      const changes = run(statements);
      database.exec('COMMIT');
      return { changes };
    } catch (error) {
      if (database.inTransaction) database.exec('ROLLBACK');
      return { error: { name: error.name, message: error.message, code: error.code } };
    }
  }
  function checkpoint() {
    try {
      database.pragma('wal_checkpoint(PASSIVE)');
    } catch {
      // A COMMIT meets the same, and reports it.
    }
    return { isCheckpoint: true };
  }
  function answer(text) {
    port.postMessage(text);
    Atomics.add(answers, 0, 1);
    Atomics.notify(answers, 0);
  }
  port.on('message', (request) => {
    if (request === 'close') {
      database.close();
      port.close();
      return;
    }
    answer(request === 'checkpoint' ? checkpoint() : write(JSON.parse(request)));
  });
  answer({});
`;

/** What the thread opens: a file, by the application's own module of better-sqlite3. */
interface Source {
  readonly module: string;
  readonly file: string;
  readonly options: object;
  /** Statements for the connection. */
  readonly setUp: string;
}

/**
 * Gets the number of rows of a set that is written, or what SQLite has thrown. Null: the thread has ended, which leaves
 * open what was done.
 */
type Writer = (result: number | Error | null) => void;

interface Answer {
  readonly isCheckpoint?: boolean;
  readonly changes?: number;
  readonly error?: { readonly name: string; readonly message: string; readonly code?: string };
}

/**
 * A thread with a connection of its own, so that the event loop does not wait for the disk. It runs sets of statements,
 * and copies what was written from the file ending in -wal to the database. These checkpoints wait for no transaction,
 * and no transaction waits for them.
 */
export class SqliteThread {
  readonly #numbers = new Map<string, number>();
  /** The number of answers that the thread has given. */
  readonly #answers = new Int32Array(new SharedArrayBuffer(4));
  #thread: Worker | null = null;
  #port: MessagePort | null = null;
  #rows = 0;
  /** Answers that have arrived. */
  #arrived = 0;
  /** Requests that are not answered, the opening of the file among them. */
  #underWay = 0;
  #isCheckpointing = false;
  #writer: Writer | null = null;

  private constructor(
    private readonly source: Source,
    private readonly onFailure: () => void,
  ) {}

  /**
   * @param setUp statements for the connection of the thread
   * @param onFailure called when the thread has failed, before what was under way is answered
   * @returns null when a thread cannot open the file as the data source does
   */
  static of(dataSource: DataSource, setUp: string, onFailure: () => void): SqliteThread | null {
    const { options, driver } = dataSource;
    const { database, key, prepareDatabase, nativeBinding } = options as DataSourceOptions & {
      readonly type: 'better-sqlite3';
    };
    if (key !== undefined || prepareDatabase !== undefined) return null;
    // A module that is loaded already does not cross over.
    if (typeof nativeBinding === 'object') return null;
    const loaded: unknown = Reflect.get(driver, 'sqlite');
    const module = Object.values(require.cache).find((one) => one?.exports === loaded)?.filename;
    if (module === undefined || typeof database !== 'string') return null;
    const opening = { fileMustExist: true, timeout: 0, nativeBinding };
    return new SqliteThread({ module, file: database, options: opening, setUp }, onFailure);
  }

  /** True when the thread has nothing to do. Starts it where it is not running. */
  get isFree(): boolean {
    return this.#isRunning() && this.#underWay === 0;
  }

  /** Runs statements in one transaction, while the thread is free. */
  write(statements: readonly Statement[], writer: Writer): void {
    const set = statements.map(({ sql, parameters }) => [this.#nameOf(sql), parameters]);
    this.#writer = writer;
    // The process must not end before what somebody waits for is written.
    this.#port!.ref();
    this.#ask(JSON.stringify(set));
  }

  /**
   * Gets the answer of {@link write} now, instead of in a later turn of the event loop.
   *
   * @param milliseconds to block the event loop for at most
   */
  collect(milliseconds: number): void {
    if (milliseconds > 0) Atomics.wait(this.#answers, 0, this.#arrived, milliseconds);
    if (Atomics.load(this.#answers, 0) === this.#arrived || this.#port === null) return;
    const received = receiveMessageOnPort(this.#port);
    if (received !== undefined) this.#answered(received.message as Answer);
  }

  /** Notes that rows were written, and begins with a checkpoint when they are many. */
  written(rows: number): void {
    this.#rows += rows;
    if (this.#rows < ROWS || this.#isCheckpointing || !this.#isRunning()) return;
    this.#rows = 0;
    this.#isCheckpointing = true;
    this.#ask('checkpoint');
  }

  /** Resolves once the thread has closed the file. */
  async close(): Promise<void> {
    const thread = this.#thread;
    if (thread === null) return;
    this.#thread = null;
    thread.removeAllListeners('exit').ref();
    const ended = new Promise((resolve) => thread.once('exit', resolve));
    this.#port!.postMessage('close');
    await ended;
  }

  /** Starts the thread where there is none. @returns false where a process may have no threads */
  #isRunning(): boolean {
    try {
      this.#thread ??= this.#start();
    } catch {
      this.onFailure();
    }
    return this.#thread !== null;
  }

  #start(): Worker {
    const { port1: port, port2: other } = new MessageChannel();
    // Options of the process, such as modules to load first, are not for this thread.
    const thread = new Worker(THREAD, {
      eval: true,
      execArgv: [],
      workerData: { ...this.source, port: other, answers: this.#answers },
      transferList: [other],
    });
    this.#port = port;
    this.#underWay = 1;
    port.on('message', (answer: Answer) => this.#answered(answer));
    port.unref();
    thread.unref();
    thread.on('error', () => undefined);
    thread.on('exit', () => {
      this.#thread = null;
      this.onFailure();
      this.#endWrite()?.(null);
    });
    return thread;
  }

  #ask(request: string): void {
    this.#underWay++;
    this.#port!.postMessage(request);
  }

  #answered({ isCheckpoint, changes, error }: Answer): void {
    // As 32 bits, like the number that the thread counts.
    this.#arrived = (this.#arrived + 1) | 0;
    this.#underWay--;
    if (isCheckpoint === true) this.#isCheckpointing = false;
    if (changes === undefined && error === undefined) return;
    this.#endWrite()?.(changes ?? toError(error!));
  }

  #endWrite(): Writer | null {
    const writer = this.#writer;
    this.#writer = null;
    this.#port?.unref();
    return writer;
  }

  #nameOf(sql: string): string | number {
    const number = this.#numbers.get(sql);
    if (number !== undefined) return number;
    this.#numbers.set(sql, this.#numbers.size);
    return sql;
  }
}

function toError({ message, ...properties }: NonNullable<Answer['error']>): Error {
  return Object.assign(new Error(message), properties);
}
