import { Fifo } from '../../common/collections.js';
import { TransactionTimeoutError } from '../errors.js';

interface Waiting {
  readonly timer: NodeJS.Timeout;
  readonly resolve: () => void;
  isGone: boolean;
}

/** A mutex that is granted in the order of asking. */
export class ConnectionLock {
  readonly #waiting = new Fifo<Waiting>();
  #isHeld = false;

  /** @param timeout milliseconds */
  constructor(private readonly timeout: number) {}

  /**
   * Takes the lock.
   *
   * @returns undefined when it was free and is held now; else what resolves when it is
   * @throws {@link TransactionTimeoutError} (rejects)
   */
  acquire(): Promise<void> | undefined {
    if (this.tryAcquire()) return undefined;
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        resolve,
        isGone: false,
        timer: setTimeout(() => {
          waiting.isGone = true;
          reject(new TransactionTimeoutError(this.timeout));
        }, this.timeout),
      };
      this.#waiting.push(waiting);
    });
  }

  /** Takes the lock if it is free. */
  tryAcquire(): boolean {
    if (this.#isHeld) return false;
    this.#isHeld = true;
    return true;
  }

  release(): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (next.isGone) continue;
      clearTimeout(next.timer);
      next.resolve();
      return;
    }
    this.#isHeld = false;
  }
}
