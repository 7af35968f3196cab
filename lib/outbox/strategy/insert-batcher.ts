import type { Message } from '../../message/index.js';

const MESSAGES_AT_ONCE = 500;

/** One caller's messages: written all or none. */
interface Entry<Written> {
  readonly messages: readonly Message[];
  readonly resolve: (written: Written) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes what several callers send at the same time in one statement: who comes while some are under way shares the next.
 * A statement for each would cost more than anything else about a message.
 */
export class InsertBatcher<Written> {
  #entries: Entry<Written>[] = [];
  #writers = 0;

  /**
   * @param write writes messages of different ids, all or none
   * @param most statements under way at once
   */
  constructor(
    private readonly write: (messages: readonly Message[]) => Promise<Written>,
    private readonly most: number,
  ) {}

  /** @returns what was written together with these messages and perhaps others */
  insert(messages: readonly Message[]): Promise<Written> {
    return new Promise((resolve, reject) => {
      this.#entries.push({ messages, resolve, reject });
      if (this.#writers >= this.most) return;
      this.#writers++;
      // After everything that this turn of the event loop brings.
      setImmediate(() => void this.#writeAll());
    });
  }

  async #writeAll(): Promise<void> {
    while (this.#entries.length > 0) await this.#writeTogether(this.#nextSet());
    this.#writers--;
  }

  /** Leaves what is too much, or there already, for the next. */
  #nextSet(): readonly Entry<Written>[] {
    const ids = new Set<string>();
    const isNext = ({ messages }: Entry<Written>) => {
      const fits = ids.size === 0 || ids.size + messages.length <= MESSAGES_AT_ONCE;
      if (!fits || messages.some(({ id }) => ids.has(id))) return false;
      for (const { id } of messages) ids.add(id);
      return true;
    };
    const all = this.#entries;
    this.#entries = [];
    return all.filter((entry) => isNext(entry) || void this.#entries.push(entry));
  }

  async #writeTogether(entries: readonly Entry<Written>[]): Promise<void> {
    try {
      const written = await this.write(entries.flatMap(({ messages }) => messages));
      for (const { resolve } of entries) resolve(written);
    } catch (error) {
      if (entries.length === 1) return entries[0]!.reject(error);
      // One of them may be the cause, and the others have nothing to do with it.
      for (const entry of entries) await this.#writeTogether([entry]);
    }
  }
}
