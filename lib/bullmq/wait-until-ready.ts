import { setTimeout } from 'node:timers/promises';
import type { Queue } from 'bullmq';

const AGAIN_AFTER = 5000;

/**
 * Resolves once a backend that is not Redis is ready. In BullMQ 6 one that was not ready at once never is: whatever asks it
 * is refused without any waiting, and a worker that asks again and again stops the whole process.
 *
 * @param open a queue to ask, and to throw away
 * @param failed told why it is not ready
 * @param over calls it off
 * @returns false when it was called off
 */
export async function untilReady(
  open: () => Queue,
  failed: (error: unknown) => void,
  over: AbortSignal,
): Promise<boolean> {
  while (!over.aborted) {
    const probe = open();
    probe.on('error', failed);
    try {
      await probe.waitUntilReady();
      return !over.aborted;
    } catch (error) {
      failed(error);
    } finally {
      await probe.close().catch(failed);
    }
    await setTimeout(AGAIN_AFTER, undefined, { ref: false, signal: over }).catch(() => undefined);
  }
  return false;
}
