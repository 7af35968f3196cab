import { AbstractLogger, DataSource, type DataSourceOptions } from 'typeorm';
import { createClient } from '../../../lib/typeorm/sources/typeorm-sources.js';
import { EntityCapture } from '../../../lib/typeorm/hooks/entity-capture.js';
import { CapturedTransactions } from '../../../lib/typeorm/sources/captured-transactions.js';
import { SystemClock } from '../../../lib/common/time.js';
import type { JoinedTransaction } from '../../../lib/database/sql-client.js';
import { DispatchStrategy, MessagePipeline } from '../../../lib/dispatch/index.js';
import { Codecs, type Message, MessageFactory } from '../../../lib/message/index.js';
import type { BulkSettings } from '../../../lib/event/index.js';
import { createDatabase } from '../databases.js';

/** For `describe.each()` where capturing has a branch for a database. Elsewhere: `DATABASES_ALIKE`. */
export const CAPTURE_DATABASES = ['sqlite', 'postgres', 'mariadb'] as const;
export type CaptureDatabase = (typeof CAPTURE_DATABASES)[number];

/** Keeps messages in memory. Messages stay in `staged` when their transaction is rolled back. */
export class MemoryStrategy extends DispatchStrategy {
  readonly staged: Message[] = [];
  readonly stagedBy: (JoinedTransaction | undefined)[] = [];
  readonly released: Message[] = [];
  failure: Error | undefined;

  override async stage(messages: readonly Message[], transaction: JoinedTransaction | undefined) {
    if (this.failure !== undefined) throw this.failure;
    this.staged.push(...messages);
    this.stagedBy.push(transaction);
  }

  override async release(messages: readonly Message[]) {
    this.released.push(...messages);
    return messages.map(({ id }) => ({ message: id, state: 'accepted' as const, attempts: [] }));
  }
}

class StatementLogger extends AbstractLogger {
  constructor(private readonly statements: string[]) {
    super('all');
  }

  override logQuery(sql: string): void {
    this.statements.push(sql);
  }

  protected override writeLog(): void {}
}

/** A data source with capturing, and the messages that it made. */
export interface CaptureApp {
  readonly dataSource: DataSource;
  readonly capture: EntityCapture;
  readonly transactions: CapturedTransactions;
  readonly factory: MessageFactory;
  readonly strategy: MemoryStrategy;
  /** Returns every SQL statement since the last call. */
  queries(): string[];
  /** Returns `name data` of the messages released since the last call. */
  received(): string[];
  /** Returns the bodies of the messages released since the last call. */
  bodies(): Body[];
  readonly close: () => Promise<void>;
}

export interface Body {
  readonly type: string;
  /** Present where the event declares it, as `owner` is. */
  readonly ref?: string | null;
  readonly owner?: string | null;
  readonly data: unknown;
}

/** MariaDB by the driver of MySQL, for which TypeORM has no RETURNING. */
type AnyDatabase = CaptureDatabase | 'mysql';

export async function openDataSource(
  kind: AnyDatabase,
  entities: readonly (new () => object)[],
  options: Partial<DataSourceOptions> = {},
): Promise<{ dataSource: DataSource; close: () => Promise<void> }> {
  const database = await createDatabase(
    kind === 'sqlite' ? 'memory' : kind === 'mysql' ? 'mariadb' : kind,
  );
  const dataSource = new DataSource({
    ...database.options,
    ...(kind === 'mysql' && { type: kind }),
    entities: [...entities],
    synchronize: true,
    ...options,
  } as DataSourceOptions);
  await dataSource.initialize();
  return {
    dataSource,
    close: async () => {
      await dataSource.destroy();
      await database.drop();
    },
  };
}

export async function openCaptureApp(
  kind: AnyDatabase,
  entities: readonly (new () => object)[],
  options: BulkSettings & {
    readonly baseUrl?: string;
  } = {},
): Promise<CaptureApp> {
  const statements: string[] = [];
  const logger = new StatementLogger(statements);
  const { dataSource, close } = await openDataSource(kind, entities, { logger });
  const strategy = new MemoryStrategy();
  const clock = new SystemClock();
  const factory = new MessageFactory(clock, new Codecs(), options);
  const pipeline = new MessagePipeline(strategy, clock);
  const client = await createClient(dataSource);
  const capture = new EntityCapture(client, { messageFactory: factory, pipeline, ...options });
  capture.attach();
  const bodies = () =>
    strategy.released.splice(0).map(({ json, event }) => ({
      ...(JSON.parse(json.toString()) as Omit<Body, 'event'>),
      event,
    }));
  return {
    dataSource,
    capture,
    transactions: new CapturedTransactions([capture]),
    factory,
    strategy,
    queries: () => statements.splice(0),
    received: () => bodies().map(({ type, data }) => `${type} ${JSON.stringify(data)}`),
    bodies,
    close: async () => {
      capture.detach();
      await close();
    },
  };
}
