import type { Row } from '../database/sql-client.js';
import type { DeliveryStatus, FailureReason } from '../delivery/index.js';

/** The stored state of a delivery between attempts; plain values, one column each. */
export interface DeliveryState {
  /** A `pending` one may be leased to a worker; that is not part of its state. */
  readonly status: DeliveryStatus;
  /** Attempts that count. */
  readonly attempts: number;
  /** Attempts that do not count, answered 429 or made while the host was down; at most {@link MAX_THROTTLED}. */
  readonly throttled: number;
  /**
   * The due time of the next attempt, in milliseconds since the Unix epoch; null once finished. Of a failed delivery that
   * holds its key, the end of that.
   */
  readonly nextAt: number | null;
  /** Set if and only if `status` is `failed`. */
  readonly reason: FailureReason | null;
}

/**
 * So many attempts that are answered 429, or made while the host is down, do not count. Every further one counts like any
 * failure, so that a delivery ends whatever its endpoint says.
 */
export const MAX_THROTTLED = 20;

/** The due time of a delivery that waits for another one: later than all times, so that no worker claims it. */
export const NOT_DUE = 8_640_000_000_000_000;

/** A delivery that has just been made: due at once. */
export function newDelivery(now: number): DeliveryState {
  return { status: 'pending', attempts: 0, throttled: 0, nextAt: now, reason: null };
}

/**
 * The states of a delivery. `unwritten`: it has no row yet, the row of its message in `thorn_pending_messages` stands for it.
 * `held`: a worker has its lease or, while it has no row, that of its message; its request is in flight, or waits for its
 * time by the rate limit, or for a slot.
 */
export const STATES = [
  'unwritten',
  'blocked',
  'waiting',
  'held',
  'succeeded',
  'failed',
  'holding',
] as const;

/** One of {@link STATES}. */
export type StateName = (typeof STATES)[number];

/** The state of a row of `thorn_deliveries`, by its columns `status`, `due_at`, `lease` and `queue_position`. */
export function stateOf(row: Row): Exclude<StateName, 'unwritten'> {
  if (row['status'] === 'succeeded') return 'succeeded';
  if (row['status'] === 'failed') return row['due_at'] === null ? 'failed' : 'holding';
  if (row['lease'] !== null) return 'held';
  return Number(row['queue_position'] ?? 0) > 0 ? 'blocked' : 'waiting';
}

/** A move from one state to the next. Null before the first one, and once the delivery is deleted. */
type Move = readonly [from: StateName | null, to: StateName | null];

/** A change of a delivery's state. */
export interface Transition {
  readonly event: string;
  readonly moves: readonly Move[];
  /** The file of its function, below this folder. The function has the name of the transition, or is the method named. */
  readonly file: string;
  readonly method?: string;
}

const OPEN = ['waiting', 'blocked', 'holding'] as const;
/** The states of a delivery that nobody has to do anything for. */
export const OVER = ['succeeded', 'failed'] as const;
const REOPENED = [...OVER, 'holding', 'waiting'] as const;

/**
 * The life of a delivery: each change of its state, and the function that makes it. The statements that change rows which no
 * worker holds take from it which rows these are, by {@link isOpenTo}; changes of held rows ask for the lease, and what is due is
 * found by its time.
 * docs/architecture.md shows it as a picture, and tests run the functions on databases and compare.
 */
export const TRANSITIONS = {
  stage: {
    event: 'its message is sent',
    moves: [[null, 'unwritten']],
    file: 'stage/message-stager.ts',
    method: 'MessageStager.stage',
  },
  fanOut: {
    event: 'a worker finds its subscriber',
    moves: [['unwritten', 'held']],
    file: 'fan-out/fan-out.ts',
  },
  enterQueues: {
    event: 'its subscriber is ordered',
    moves: [
      ['unwritten', 'held'],
      ['unwritten', 'blocked'],
    ],
    file: 'fan-out/enter-queues.ts',
  },
  giveTurns: {
    event: 'the one before it has ended',
    moves: [
      ['blocked', 'held'],
      ['blocked', 'waiting'],
    ],
    file: 'wait/give-turns.ts',
  },
  dissolve: {
    event: 'the subscriber is no longer ordered',
    moves: [['blocked', 'waiting']],
    file: 'wait/dissolve.ts',
  },
  claim: {
    event: 'its time has come',
    moves: [['waiting', 'held']],
    file: 'wait/claim.ts',
  },
  postpone: {
    event: 'no time by the rate limit, or the host takes nothing',
    moves: [['held', 'waiting']],
    file: 'record/postpone.ts',
  },
  tryAgain: {
    event: 'the attempt fails',
    moves: [['held', 'waiting']],
    file: 'record/try-again.ts',
  },
  release: {
    event: 'the process ends',
    moves: [['held', 'waiting']],
    file: 'tables/leases.ts',
    method: 'Leases.release',
  },
  succeed: {
    event: 'the attempt succeeds',
    moves: [['held', 'succeeded']],
    file: 'record/succeed.ts',
  },
  fail: {
    event: 'the last attempt fails',
    moves: [['held', 'failed']],
    file: 'record/fail.ts',
  },
  hold: {
    event: 'the last attempt fails, and its key waits',
    moves: [['held', 'holding']],
    file: 'record/hold.ts',
  },
  end: {
    event: 'message or subscriber is gone',
    moves: [['held', 'failed']],
    file: 'record/end.ts',
  },
  endHolds: {
    event: 'the subscriber holds no keys any more',
    moves: [['holding', 'holding']],
    file: 'wait/end-holds.ts',
  },
  skip: {
    event: 'the hold has ended',
    moves: [['holding', 'failed']],
    file: 'record/skip.ts',
  },
  bringForward: {
    event: 'the host is well again',
    moves: [['waiting', 'waiting']],
    file: 'wait/bring-forward.ts',
  },
  failWaiting: {
    event: 'the subscriber is disabled, or has ended',
    moves: OPEN.map((state) => [state, 'failed'] as const),
    file: 'record/fail-waiting.ts',
  },
  cancel: {
    event: 'somebody cancels it',
    moves: OPEN.map((state) => [state, 'failed'] as const),
    file: 'record/cancel.ts',
  },
  reopen: {
    event: 'somebody retries it',
    moves: [
      ...REOPENED.flatMap((state) => [[state, 'waiting'] as const, [state, 'blocked'] as const]),
      // The subscriber is no longer ordered.
      ['blocked', 'waiting'],
    ],
    file: 'retry/reopen.ts',
  },
  backfill: {
    event: 'the subscriber has missed the message',
    moves: [
      [null, 'waiting'],
      [null, 'blocked'],
    ],
    file: 'retry/backfill.ts',
  },
  remove: {
    event: 'retentionDays have passed',
    moves: OVER.map((state) => [state, null] as const),
    file: 'retention/message-removal.ts',
    method: 'MessageRemoval.messages',
  },
} satisfies Readonly<Record<string, Transition>>;

/** The name of a change in {@link TRANSITIONS}. */
export type ChangeName = keyof typeof TRANSITIONS;

/** The alias of the table and a dot; an empty text without one. */
type Alias = 't.' | 'd.' | '';

/** How a statement finds the rows of states, by the columns of an index. A row that a worker holds is left to that worker. */
const CONDITIONS: Readonly<Record<string, (row: Alias) => string>> = {
  blocked: (row) => `${row}queue_position > 0 AND ${row}lease IS NULL`,
  holding: (row) => `${row}status = 'failed' AND ${row}due_at IS NOT NULL AND ${row}lease IS NULL`,
  'blocked, holding, waiting': (row) => `${row}due_at IS NOT NULL AND ${row}lease IS NULL`,
  // Nobody holds these: without a due time, no worker finds them.
  'failed, succeeded': (row) => `${row}due_at IS NULL`,
  'blocked, failed, holding, succeeded, waiting': (row) => `${row}lease IS NULL`,
};

/**
 * The condition on rows of `thorn_deliveries` that a change may begin from, by its moves in {@link TRANSITIONS}.
 *
 * @param row default: the table has no alias
 * @param only some of the states that the change begins from. Default: all of them
 *
 * @example
 * ```ts
 * `UPDATE thorn_deliveries SET … WHERE id = ? AND ${isOpenTo('cancel')}`;
 * ```
 */
export function isOpenTo(change: ChangeName, row: Alias = '', only?: readonly StateName[]): string {
  const { moves }: Transition = TRANSITIONS[change];
  const begun = new Set(moves.map(([from]) => from));
  const states = [...(only ?? begun)]
    .filter((state) => begun.has(state))
    .sort()
    .join(', ');
  const condition = CONDITIONS[states];
  if (condition === undefined) {
    throw new Error(`The change ${change} begins from ${states}, for which CONDITIONS has no SQL`);
  }
  return condition(row);
}
