import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import pg from 'pg';

/** What servers have used since they were started. */
export interface Reading {
  /** Microseconds of CPU. */
  readonly redis: number;
  /** Microseconds of CPU, by process. */
  readonly database: ReadonlyMap<number, number>;
  /** Bytes of the log. */
  readonly wal: number;
}

/** Jiffies of Linux, as `/proc` has them on every platform that Node runs on. */
const MICROSECONDS_A_TICK = 10_000;

const PROCESSES = `
  SELECT pid FROM pg_stat_activity
  WHERE datname = current_database() OR backend_type IN ('walwriter', 'checkpointer', 'background writer')`;

/** Reads what a Redis and a PostgreSQL on this machine use. */
export class Meter {
  private constructor(
    private readonly redis: Redis,
    private readonly postgres: pg.Client,
  ) {}

  static async start(port: number, url: string): Promise<Meter> {
    const postgres = new pg.Client({ connectionString: url });
    await postgres.connect();
    return new Meter(new Redis(port), postgres);
  }

  async read(): Promise<Reading> {
    const info = await this.redis.info('cpu');
    const seconds = (name: string) =>
      Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1] ?? 0);
    const { rows } = await this.postgres.query<{ pid: number }>(PROCESSES);
    const { rows: log } = await this.postgres.query<{ bytes: string }>(
      "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn AS bytes",
    );
    return {
      redis: (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1e6,
      database: new Map(rows.map(({ pid }) => [pid, cpuOf(pid)])),
      wal: Number(log[0]!.bytes),
    };
  }

  /** A process that has ended meanwhile is not counted. */
  since(before: Reading, after: Reading): { redis: number; database: number; wal: number } {
    let database = 0;
    for (const [pid, used] of after.database) database += used - (before.database.get(pid) ?? 0);
    return { redis: after.redis - before.redis, database, wal: after.wal - before.wal };
  }

  async stop(): Promise<void> {
    this.redis.disconnect();
    await this.postgres.end();
  }
}

/** @throws Error when the server is not on this machine, or this is not Linux: then give `database-cpu` */
function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // After the name, which may contain anything: user and system time are the 12th and 13th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MICROSECONDS_A_TICK;
}
