import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RetryPolicy, type RetryQuestion } from '../../lib/delivery/index.js';
import { MovableClock, ScriptedReceiver } from '../../lib/testing/index.js';
import { createDatabase, type DatabaseKind, type TestDatabase } from '../support/databases.js';
import { openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';

const NOW = Date.UTC(2026, 0, 1);

/** With jitter that nobody has rounded. */
class Fractional extends RetryPolicy {
  override nextAttempt({ attempt, now }: RetryQuestion): number | null {
    return attempt > 2 ? null : now + 0.4;
  }
}

class Failing extends RetryPolicy {
  override nextAttempt(): number {
    throw new TypeError('a mistake of the application');
  }
}

describe.each<{ kind: DatabaseKind }>([{ kind: 'file' }, { kind: 'postgres' }])(
  'a retry policy of the application, on $kind',
  ({ kind }) => {
    let place: TestDatabase;
    let receiver: ScriptedReceiver;
    let rig: OutboxApp;
    let errors: string[];

    const open = async (retryPolicy: RetryPolicy) => {
      rig = await openOutboxApp(place, { retryPolicy, clock: new MovableClock(NOW) });
      await rig.subscribers.create(subscriber(receiver.url));
      receiver.otherwise({ status: 500 });
      await rig.send();
    };

    beforeEach(async () => {
      errors = [];
      vi.spyOn(Logger.prototype, 'error').mockImplementation((text) => void errors.push(`${text}`));
      [place, receiver] = [await createDatabase(kind), await ScriptedReceiver.start()];
    });

    afterEach(async () => {
      await rig.close();
      await receiver.stop();
      await place.drop();
      vi.restoreAllMocks();
    });

    it('may answer fractions of a millisecond', async () => {
      await open(new Fractional());
      await rig.until('SELECT due_at FROM thorn_deliveries', ([row]) => row !== undefined);
      expect(await rig.rows('SELECT due_at FROM thorn_deliveries')).toEqual([
        { due_at: expect.toSatisfy((at) => Number(at) === NOW + 1) as unknown },
      ]);
      expect(errors).toEqual([]);
    });

    it('is replaced by the standard one where it throws, and the log says so', async () => {
      await open(new Failing());
      const [row] = await rig.until('SELECT * FROM thorn_deliveries', ([one]) => one !== undefined);
      expect(row).toMatchObject({ status: 'pending', attempts: 1 });
      expect(Number(row!['due_at'])).toBeGreaterThanOrEqual(NOW + 5000);
      expect(errors).toEqual([
        expect.stringMatching(/^The retry policy failed for dlv_.*a mistake of the application/),
      ]);
    });
  },
);
