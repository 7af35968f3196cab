import { ThornError } from '../errors/index.js';

/** Options of the `waitFor` methods. */
export interface WaitOptions {
  /** Milliseconds after which the wait is rejected. Default 5,000. */
  readonly timeout?: number;
}

/** The limit in milliseconds of waits that have no limit of their own. The library's own tests raise it. @internal */
export const waiting = { timeout: 5000 };

/** A list that grows, and can be waited on. */
export class Arrivals<Item> {
  #items: readonly Item[] = [];
  readonly #checks = new Set<() => void>();

  /** @param nameOf names an item in the error of a wait that timed out */
  constructor(private readonly nameOf: (item: Item) => string) {}

  get items(): readonly Item[] {
    return this.#items;
  }

  add(...items: readonly Item[]): void {
    this.#items = [...this.#items, ...items];
    for (const check of this.#checks) check();
  }

  clear(): void {
    this.#items = [];
  }

  /**
   * @param wanted describes the result in the error
   * @param find returns undefined until the result is there
   * @throws {@link WaitTimeoutError} when the time is up
   */
  waitFor<Result>(
    wanted: string,
    find: (items: readonly Item[]) => Result | undefined,
    { timeout = waiting.timeout }: WaitOptions = {},
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        this.#checks.delete(check);
        act();
      };
      const check = () => {
        try {
          const found = find(this.#items);
          if (found !== undefined) settle(() => resolve(found));
        } catch (error) {
          settle(() => reject(error));
        }
      };
      const timer = setTimeout(() => {
        const came = this.#items.map(this.nameOf);
        settle(() => reject(new WaitTimeoutError(wanted, timeout, came)));
      }, timeout);
      this.#checks.add(check);
      check();
    });
  }
}

/** Thrown by the `waitFor` methods when nothing that fits came in time; names what did come. */
export class WaitTimeoutError extends ThornError {
  readonly code = 'THORN_WAIT_TIMEOUT';

  /** @param came names of the items that came instead */
  constructor(wanted: string, timeout: number, came: readonly string[]) {
    const rest = came.length === 0 ? 'nothing came at all' : `what came: ${came.join(', ')}`;
    super(`Timed out after ${timeout} ms waiting for ${wanted}; ${rest}.`, {
      wanted,
      timeout,
      came,
    });
  }
}
