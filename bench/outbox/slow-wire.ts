import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** A TCP proxy on this machine that hands on every byte late, in a thread of its own. */
export class SlowWire {
  private constructor(
    private readonly thread: Worker,
    readonly port: number,
  ) {}

  /** @param delay milliseconds, each way */
  static async start(target: { host: string; port: number }, delay: number): Promise<SlowWire> {
    const thread = new Worker(new URL('./slow-wire-thread.js', import.meta.url), {
      workerData: { ...target, delay },
    });
    const [port] = (await once(thread, 'message')) as [number];
    return new SlowWire(thread, port);
  }

  async stop(): Promise<void> {
    await this.thread.terminate();
  }
}
