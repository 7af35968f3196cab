import type { SqlStore } from '../../database/sql-store.js';
import { keyOf } from '../tables/keys.js';
import {
  deleteOldLimits,
  insertLimits,
  selectLimits,
  updateLimits,
} from '../tables/rate-limits.js';
import type { TableNames } from '../tables/table-names.js';
import { giveTimes, type StartRequest, type StartTimes } from './start-times.js';

const MOST_AT_ONCE = 500;
/** Milliseconds that a row is kept after its times have passed. */
const KEPT_FOR = 24 * 60 * 60_000;

/** Gives times for attempts at subscribers with a rate limit, to all processes: {@link giveTimes} by the table `thorn_rate_limits`. */
export class PaceTable {
  constructor(
    private readonly database: SqlStore,
    private readonly tables: TableNames,
  ) {}

  /**
   * One transaction for up to 500 subscribers: their rows are locked, and advanced by one statement.
   *
   * @param requests by the id of the subscriber
   * @param now by the clock of the caller, in milliseconds since the Unix epoch
   * @throws when the database does not answer; no attempt may begin then
   */
  async giveTimes(
    requests: ReadonlyMap<string, StartRequest>,
    now: number,
  ): Promise<ReadonlyMap<string, StartTimes>> {
    const given = new Map<string, StartTimes>();
    const all = [...requests].map(([id, request]) => ({ id, key: keyOf('sub_', id), request }));
    while (all.length > 0) {
      let some = all.splice(0, MOST_AT_ONCE);
      // Ends: a row that is missing is there the second time.
      while (some.length > 0) {
        for (const [id, times] of await this.#advance(some, now)) given.set(id, times);
        some = some.filter(({ id }) => !given.has(id));
        if (some.length > 0) await this.#insert(some, now);
      }
    }
    return given;
  }

  get #target() {
    return { dialect: this.database.dialect, tables: this.tables };
  }

  async #advance(some: readonly Keyed[], now: number): Promise<ReadonlyMap<string, StartTimes>> {
    const byKey = new Map(some.map((one) => [one.key, one]));
    let given = new Map<string, StartTimes>();
    await this.database.execute([
      selectLimits(this.#target, [...byKey.keys()]),
      ([found]) => {
        given = new Map();
        if (found!.rows.length === 0) return null;
        const rows = found!.rows.map((row) => {
          const { id, key, request } = byKey.get(row['subscriber_id'] as string)!;
          const before = {
            nextAt: Number(row['next_at']),
            queuedUntil: Number(row['queued_until']),
          };
          const { pace, times } = giveTimes(before, request, now);
          given.set(id, times);
          return { subscriber_id: key, next_at: pace.nextAt, queued_until: pace.queuedUntil };
        });
        return updateLimits(this.#target, rows);
      },
    ]);
    return given;
  }

  /** Adds rows of subscribers that are new here; the place to forget removed subscribers. */
  async #insert(some: readonly Keyed[], now: number): Promise<void> {
    const rows = some.map(({ key }) => ({ subscriber_id: key, next_at: now, queued_until: now }));
    await this.database.run(insertLimits(this.#target, rows));
    await this.database.run(deleteOldLimits(this.#target, now - KEPT_FOR));
  }
}

/** A request, with the id of its subscriber as it is and as it is in the table. */
interface Keyed {
  readonly id: string;
  readonly key: string;
  readonly request: StartRequest;
}
