import type { Message } from '../../message/index.js';
import type { Statement } from '../../database/dialect.js';
import type { Result, Step } from '../../database/sql-client.js';
import { type Gate, proven, type TransactionProof } from '../../database/transaction-proof.js';
import { hashOf, keyOf } from './keys.js';
import { type MessageNumber, renumberMessages } from './messages.js';
import { renumberPending } from './pending-messages.js';
import {
  allocateNumbers,
  type KeyCount,
  numberIn,
  selectNumbers,
  takeNumbersBack,
} from './sequences.js';
import type { Target } from './table-names.js';

/** Messages that PostgreSQL numbers in the statement that writes them. More are faster with numbers that are known. */
const MOST_AT_ONCE = 16;

/** A message among others of its key. */
interface Rank {
  /** The key's hash. */
  readonly id: string;
  /** How many come after this one. */
  readonly after: number;
}

/**
 * Numbers messages by their keys, in the transaction that writes them. The rows of the keys stay locked until the end of
 * that transaction: others that send messages of these keys wait for it, and get later numbers. The rows are locked in one
 * order everywhere, so that two transactions never wait for each other.
 */
export class MessageNumbers {
  readonly #ranks: ReadonlyMap<Message, Rank>;
  /** Messages a key, sorted. */
  readonly #counts: readonly KeyCount[];

  private constructor(
    messages: readonly Message[],
    private readonly target: Target,
  ) {
    const ranks = new Map<Message, Rank>();
    const counts = new Map<string, number>();
    for (const message of messages.toReversed()) {
      const id = hashOf(message.key!);
      const after = counts.get(id) ?? 0;
      ranks.set(message, { id, after });
      counts.set(id, after + 1);
    }
    this.#ranks = ranks;
    this.#counts = [...counts]
      .map(([id, count]) => ({ id, count }))
      .sort((one, other) => (one.id < other.id ? -1 : 1));
  }

  /** @returns undefined when no message has a key */
  static of(messages: readonly Message[], target: Target): MessageNumbers | undefined {
    const keyed = messages.filter(({ key }) => key !== null);
    return keyed.length === 0 ? undefined : new MessageNumbers(keyed, target);
  }

  /** True when the numbers can be allocated by the very statement that writes the messages. */
  get areAllocatedAtOnce(): boolean {
    return this.target.dialect.name === 'postgres' && this.#ranks.size <= MOST_AT_ONCE;
  }

  /** True when no message can be there already, so that every number is used. */
  get areUsed(): boolean {
    return [...this.#ranks.keys()].every(({ isIdNew }) => isIdNew);
  }

  /** Allocates the numbers. @param gate default: whatever transaction it is */
  allocate(gate?: Gate): Statement {
    return allocateNumbers(this.target, this.#counts, gate);
  }

  /** Allocates the numbers and reads them, where {@link allocate} does not return them. The last step's result has them. */
  steps(proof?: TransactionProof): Step[] {
    const allocate = proven(proof, (gate) => this.allocate(gate), ['key_id', 'sequence']);
    if (this.target.dialect.returns) return [allocate];
    const ids = this.#counts.map(({ id }) => id);
    return [allocate, selectNumbers(this.target, ids, proof)];
  }

  /**
   * Numbers the messages before the steps that write them, and gives back the numbers that are not used.
   *
   * @param knownIds by the results so far: ids of messages that were there already
   */
  around(
    steps: readonly Step[],
    knownIds: (before: readonly Result[]) => ReadonlySet<string>,
  ): Step[] {
    const assign = (before: readonly Result[]) => {
      this.assign(before.at(-1)!);
      return null;
    };
    const numbered: Step[] = [...this.steps(), assign, ...steps];
    if (this.areUsed) return numbered;
    let rest: readonly Statement[] = [];
    return [
      ...numbered,
      (before) => (rest = this.giveBack(knownIds(before)))[0] ?? null,
      () => rest[1] ?? null,
      () => rest[2] ?? null,
    ];
  }

  /** Numbers the messages. @param allocated the result of the last of {@link steps} */
  assign({ rows }: Result): void {
    const latest = new Map(rows.map((row) => [String(row['key_id']), Number(row['sequence'])]));
    for (const [message, { id, after }] of this.#ranks) message.number(latest.get(id)! - after);
  }

  /** Numbers the messages that {@link expression} has numbered. @param written ids and numbers */
  assignWritten({ rows }: Result): void {
    const sequences = new Map(rows.map(({ id, sequence }) => [id, Number(sequence)]));
    for (const message of this.#ranks.keys()) {
      const sequence = sequences.get(keyOf('msg_', message.id));
      if (sequence !== undefined) message.number(sequence);
    }
  }

  /**
   * The number of a message as an expression over the result of {@link allocate}, with its parameter.
   *
   * @param allocated a table expression
   * @returns undefined for messages without a key
   */
  expression(message: Message, allocated: string): Statement | undefined {
    const rank = this.#ranks.get(message);
    return rank && numberIn(this.target, allocated, rank.id, rank.after);
  }

  /**
   * Gives the numbers of messages back that were there already, so that none is missing: those of later messages change.
   *
   * @param known ids of messages that were there already
   * @param proof default: it runs where it is meant to
   */
  giveBack(known: ReadonlySet<string>, proof?: TransactionProof): Statement[] {
    const unused = new Map<string, number>();
    const moved: MessageNumber[] = [];
    for (const [message, { id }] of [...this.#ranks].reverse()) {
      const before = unused.get(id) ?? 0;
      if (known.has(message.id)) unused.set(id, before + 1);
      else if (before > 0) {
        message.number(message.sequence! - before);
        moved.push({ id: keyOf('msg_', message.id), sequence: message.sequence! });
      }
    }
    const counts = [...unused].map(([id, count]) => ({ id, count }));
    // First: if the transaction has ended, this row is not gone with it, and others have numbered more since.
    const back = counts.length === 0 ? [] : [takeNumbersBack(this.target, counts, proof)];
    return moved.length === 0
      ? back
      : [...back, renumberMessages(this.target, moved), renumberPending(this.target, moved)];
  }
}
