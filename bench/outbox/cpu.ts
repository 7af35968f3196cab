import { DataSource, type DataSourceOptions } from 'typeorm';
import { type Forked, forked } from '../contenders/forked.js';
import { median, paced, reportValue } from '../harness.js';
import { cpuSeconds } from '../receiver.js';
import { ours } from './application.js';
import type { Ground } from './ground.js';
import { SUBSCRIBERS } from './throughput.js';

const TURNS = { warmUp: 3000, turn: 3000, rounds: 5 };
const IN_FLIGHT = 100;

/** Microseconds of CPU of one delivery: of the application, and of PostgreSQL where its processes can be seen. */
export async function cpu({ services, endpoints }: Ground): Promise<void> {
  const urls = endpoints.fast(SUBSCRIBERS);
  const options = await services.postgres();
  const onSqlite = await forked(ours, 'outbox on SQLite', services.sqlite(), urls);
  const onPostgres = await forked(ours, 'outbox on PostgreSQL', options, urls);
  const { warmUp, turn, rounds } = paced(TURNS);
  for (const one of [onSqlite, onPostgres]) await one.rate(warmUp, IN_FLIGHT);
  const sqlite: number[] = [];
  const postgres: number[] = [];
  const server: number[] = [];
  const serverCpu = await serverCpuOf(options);
  for (let round = 0; round < rounds; round++) {
    sqlite.push((await costs(onSqlite, turn)).process);
    const found = await costs(onPostgres, turn, serverCpu.read);
    postgres.push(found.process);
    server.push(found.server);
  }
  await serverCpu.stop();
  for (const one of [onSqlite, onPostgres]) await one.stop();
  reportValue('outbox.node-cpu-sqlite', median(sqlite), 'µs', 48);
  reportValue('outbox.node-cpu-postgres', median(postgres), 'µs', 50);
  if (server.every(Number.isFinite)) {
    reportValue('outbox.postgres-cpu', median(server), 'µs', 35);
  } else {
    console.error('outbox.postgres-cpu: the processes of the server cannot be seen from here');
  }
}

interface Costs {
  readonly process: number;
  readonly server: number;
}

async function costs(
  one: Forked,
  turn: number,
  serverCpu = async () => Number.NaN,
): Promise<Costs> {
  const before = { process: await one.cpu(), server: await serverCpu() };
  const began = performance.now();
  const rate = await one.rate(turn, IN_FLIGHT);
  const deliveries = ((rate * (performance.now() - began)) / 1000) * SUBSCRIBERS;
  return {
    process: ((await one.cpu()) - before.process) / deliveries,
    server: ((await serverCpu()) - before.server) / deliveries,
  };
}

/** Reads the CPU of all processes of a server, in microseconds. */
async function serverCpuOf(
  options: DataSourceOptions,
): Promise<{ readonly read: () => Promise<number>; readonly stop: () => Promise<void> }> {
  const database = await new DataSource(options).initialize();
  return {
    read: async () => {
      const rows: { readonly pid: number }[] = await database.query(
        'SELECT pid FROM pg_stat_activity',
      );
      return rows.reduce((sum, { pid }) => sum + cpuSeconds(pid) * 1_000_000, 0);
    },
    stop: () => database.destroy(),
  };
}
