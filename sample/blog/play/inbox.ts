import type { Report } from './child.js';

/** What the demo reads of a webhook. */
export interface Received {
  readonly type: string;
  readonly ref: string | null;
  readonly data: { readonly title?: string; readonly tags?: readonly string[] };
}

/** Collects what the consumer says it received, and lets the demo wait for it. */
export class Inbox {
  readonly #waiting: Received[] = [];
  readonly #rejected: string[] = [];
  #wake: () => void = () => {};
  #taken = 0;

  /** How many have arrived and were expected. */
  get taken(): number {
    return this.#taken;
  }

  add(report: Report): void {
    if ('verified' in report) this.#waiting.push(report.verified as Received);
    if ('rejected' in report) this.#rejected.push(report.rejected);
    this.#wake();
  }

  /** Takes exactly these events about one article, in whatever order they arrive. */
  async take(events: readonly string[], title: string): Promise<readonly Received[]> {
    const taken: Received[] = [];
    for (const event of events) {
      const isIt = (received: Received) => received.type === event && received.data.title === title;
      while (!this.#waiting.some(isIt)) {
        this.assertNothing('rejected');
        await this.#next(`${event} of “${title}”`);
      }
      taken.push(...this.#waiting.splice(this.#waiting.findIndex(isIt), 1));
    }
    this.#taken += taken.length;
    return taken;
  }

  /** @throws Error when something came that nobody expected */
  assertNothing(...kinds: ('rejected' | 'unexpected')[]): void {
    if (kinds.includes('rejected') && this.#rejected.length > 0) {
      throw new Error(`the consumer could not verify a webhook: ${this.#rejected.join('; ')}`);
    }
    if (kinds.includes('unexpected') && this.#waiting.length > 0) {
      throw new Error(`not expected: ${JSON.stringify(this.#waiting)}`);
    }
  }

  #next(what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${what} did not arrive in 20 s`)), 20_000);
      this.#wake = () => {
        clearTimeout(late);
        resolve();
      };
    });
  }
}
