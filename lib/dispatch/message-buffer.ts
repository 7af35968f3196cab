import { Logger } from '@nestjs/common';
import { AsyncVariable } from '../common/async-variable.js';
import type { Clock } from '../common/time.js';
import { errorText } from '../common/log.js';
import { OptionChecks } from '../common/option-checks.js';
import type { Message } from '../message/message.js';

/** Thresholds at which {@link MessageBuffer.maybeFlush} flushes. */
export interface BufferOptions {
  /** As soon as this many messages are waiting. Default: never by number. */
  readonly flushEvery?: number;
  /** As soon as this many milliseconds have passed since the last flush. Default: never by time. */
  readonly flushAfter?: number;
}

/** The handle of a buffer scope. */
export interface MessageBuffer {
  /** Messages that wait in this scope and in every scope that it is nested in or that is nested in it. */
  readonly size: number;
  /**
   * Sends all waiting messages of this scope and of every nested or enclosing scope. A failure also fails the outermost
   * scope at its end, so that an error of a call without await is not lost.
   */
  flush(): Promise<void>;
  /**
   * Flushes when `flushEvery` or `flushAfter` of the outermost scope says so.
   *
   * @returns whether it did
   */
  maybeFlush(): Promise<boolean>;
}

/** A message that waits in a scope, and whether its transaction has already committed it. */
interface Waiting {
  readonly message: Message;
  readonly staged: boolean;
}

/** The operations of a scope on its messages at its end. */
export interface BufferTarget {
  send(messages: readonly Message[], staged: readonly Message[]): Promise<void>;
  discard(staged: readonly Message[]): Promise<void>;
}

/** Buffer scopes: parallel ones do not see each other, nested ones flush with the outermost. */
export class BufferScopes {
  readonly #storage = new AsyncVariable<Scope>();
  readonly #logger = new Logger('Thorn');

  constructor(
    private readonly target: BufferTarget,
    private readonly clock: Clock,
  ) {}

  /** @returns whether a scope was open and took the messages */
  collect(messages: readonly Message[], staged: boolean): boolean {
    const scope = this.#storage.get()?.open();
    if (scope === undefined) return false;
    for (const message of messages) scope.waiting.push({ message, staged });
    return true;
  }

  async run<Result>(
    work: (buffer: MessageBuffer) => Promise<Result> | Result,
    options: BufferOptions,
  ): Promise<Result> {
    const check = new OptionChecks('buffer()');
    check.names(options, ['flushEvery', 'flushAfter']);
    check.integer('flushEvery', options.flushEvery, { unit: 'messages' });
    check.integer('flushAfter', options.flushAfter, { unit: 'milliseconds' });
    const parent = this.#storage.get()?.open();
    const scope = new Scope(parent, this.target, this.clock, options);
    try {
      const result = await this.#storage.run(scope, async () => work(scope));
      await scope.end();
      return result;
    } catch (error) {
      await this.#drop(scope);
      throw error;
    }
  }

  async #drop(scope: Scope): Promise<void> {
    const dropped = scope.close();
    if (dropped.length === 0) return;
    this.#logger.warn(
      `A buffer scope ended with a throw: ${dropped.length} message(s) that were not flushed are dropped`,
    );
    const staged = dropped.filter((waiting) => waiting.staged).map(({ message }) => message);
    if (staged.length === 0) return;
    try {
      await this.target.discard(staged);
    } catch (error) {
      // The caller must get the error that ended the scope.
      this.#logger.error(
        `Discarding ${staged.length} staged message(s) failed: ${errorText(error)}`,
      );
    }
  }
}

class Scope implements MessageBuffer {
  waiting: Waiting[] = [];
  #closed = false;
  readonly #root: Scope;
  // Used by the outermost scope only: the open scopes within it, its flushes under way, and when the last flush began.
  readonly #members = new Set<Scope>();
  #flushing: Promise<void> = Promise.resolve();
  #flushedAt: number;

  constructor(
    private readonly parent: Scope | undefined,
    private readonly target: BufferTarget,
    private readonly clock: Clock,
    private readonly options: BufferOptions,
  ) {
    this.#root = parent === undefined ? this : parent.#root;
    this.#root.#members.add(this);
    this.#flushedAt = clock.now();
  }

  /** For work that goes on after its scope has ended: the scope around it, if that is still open. */
  open(): Scope | undefined {
    return this.#closed ? this.parent?.open() : this;
  }

  get size(): number {
    let size = 0;
    for (const member of this.#root.#members) size += member.waiting.length;
    return size;
  }

  flush(): Promise<void> {
    const root = this.#root;
    const waiting = [...root.#members].flatMap((member) => member.#drain());
    root.#flushedAt = this.clock.now();
    if (waiting.length === 0) return root.#flushing;
    const flushed = this.target.send(
      waiting.filter(({ staged }) => !staged).map(({ message }) => message),
      waiting.filter(({ staged }) => staged).map(({ message }) => message),
    );
    root.#flushing = Promise.all([root.#flushing, flushed]).then(() => undefined);
    // A caller that does not await this flush learns of its failure when the scope ends.
    root.#flushing.catch(() => undefined);
    flushed.catch(() => undefined);
    return flushed;
  }

  async maybeFlush(): Promise<boolean> {
    const { flushEvery, flushAfter } = this.#root.options;
    const byNumber = flushEvery !== undefined && this.size >= flushEvery;
    const byTime =
      flushAfter !== undefined && this.clock.now() - this.#root.#flushedAt >= flushAfter;
    if (!byNumber && !byTime) return false;
    await this.flush();
    return true;
  }

  async end(): Promise<void> {
    if (this.parent === undefined) {
      void this.flush();
      this.close();
      await this.#flushing;
      return;
    }
    this.parent.waiting.push(...this.close());
  }

  /** @returns the messages that still waited in this scope */
  close(): Waiting[] {
    this.#closed = true;
    this.#root.#members.delete(this);
    return this.#drain();
  }

  #drain(): Waiting[] {
    const waiting = this.waiting;
    this.waiting = [];
    return waiting;
  }
}
