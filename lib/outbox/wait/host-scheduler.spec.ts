import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { endpointRules } from '../outbox-options.js';
import type { BreakerSignal } from './circuit-breaker.js';
import { type HostJob, HostScheduler } from './host-scheduler.js';
import { WakeSignal } from '../../common/waiting.js';

interface Job extends HostJob {
  readonly name: string;
}

const SUCCESS: BreakerSignal = { kind: 'success' };
const FAILURE: BreakerSignal = { kind: 'failure' };

describe('HostScheduler', () => {
  const clock = { now: () => Date.now() };
  let running: { readonly job: Job; readonly end: (outcome: BreakerSignal) => void }[];
  let claims: WakeSignal;
  let postponed: { readonly job: Job; readonly until: number }[];
  let recovered: string[];
  let unwritten: number;

  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000_000, toFake: ['Date', 'performance', 'setTimeout'] });
    [running, postponed, recovered, claims, unwritten] = [[], [], [], new WakeSignal(), 0];
  });
  afterEach(() => vi.useRealTimers());

  function scheduler({ window = 1000, perHost = 64, failures = 10 } = {}): HostScheduler<Job> {
    return new HostScheduler<Job>(
      {
        window,
        perHost,
        endpoints: endpointRules({ failures, probeInterval: 30_000, jitter: 0 }),
      },
      {
        run: (job) => new Promise((end) => running.push({ job, end })),
        postpone: (job, until) => void postponed.push({ job, until }),
        recovered: async (host) => void recovered.push(host),
        get unwritten() {
          return unwritten;
        },
      },
      claims,
      clock,
      () => 0,
    );
  }

  const job = (host: string, isRetry = false): Job => ({ host, isRetry, name: host });

  function add(to: HostScheduler<Job>, host: string, times: number, isRetry = false): void {
    for (let n = 0; n < times; n++) to.add(job(host, isRetry));
  }

  /** Ends what runs to a host. */
  async function end(host: string, outcome: BreakerSignal): Promise<void> {
    const ending = running.filter(({ job: one }) => one.host === host);
    running = running.filter((one) => !ending.includes(one));
    for (const one of ending) one.end(outcome);
    await Promise.resolve();
    await Promise.resolve();
  }

  const runningTo = (host: string) => running.filter(({ job: one }) => one.host === host).length;

  it('gives a host no more than its share, and runs the others meanwhile', () => {
    const all = scheduler({ perHost: 4 });
    add(all, 'dead', 100);
    add(all, 'well', 3);
    expect([runningTo('dead'), runningTo('well')]).toEqual([4, 3]);
    expect([all.running, all.waiting]).toEqual([7, 96]);
  });

  it('postpones none of a burst to a fast host', async () => {
    const all = scheduler({ perHost: 4 });
    add(all, 'fast', 10_000);
    // The process itself was busy with the burst: what the first ones took says nothing of the host.
    vi.advanceTimersByTime(1500);
    await end('fast', SUCCESS);
    add(all, 'fast', 1000);
    expect(postponed).toHaveLength(0);
  });

  it('postpones jobs of a host whose first one waits for more than five seconds', async () => {
    const all = scheduler({ perHost: 4 });
    add(all, 'slow', 10);
    vi.advanceTimersByTime(5000);
    add(all, 'slow', 1);
    expect(postponed).toHaveLength(0);
    vi.advanceTimersByTime(1);
    add(all, 'slow', 2);
    expect(postponed.map(({ until }) => until)).toEqual([Date.now(), Date.now()]);
  });

  it('starts first attempts before retries', async () => {
    const all = scheduler({ perHost: 4 });
    add(all, 'a', 3, true);
    add(all, 'a', 1);
    expect(running.map(({ job: { isRetry } }) => isRetry)).toEqual([true, true, true, false]);
    add(all, 'a', 2, true);
    add(all, 'a', 3);
    running[0]!.end(SUCCESS);
    await vi.waitFor(() => expect(running).toHaveLength(5));
    expect(running[4]!.job.isRetry).toBe(false);
  });

  it('serves hosts in rotation when the window is full', async () => {
    const all = scheduler({ window: 2, perHost: 2 });
    add(all, 'a', 10);
    add(all, 'b', 1);
    running[0]!.end(SUCCESS);
    await vi.waitFor(() => expect(running).toHaveLength(3));
    running[1]!.end(SUCCESS);
    await vi.waitFor(() => expect(running).toHaveLength(4));
    expect(running.slice(2).map(({ job: { host } }) => host)).toContain('b');
  });

  it.each([
    { window: 10, most: 10 },
    { window: 1000, most: 500 },
  ])('starts no job while $most outcomes are not written, window $window', ({ window, most }) => {
    const all = scheduler({ window });
    unwritten = most;
    add(all, 'a', 5);
    expect(running).toHaveLength(0);
    unwritten = 0;
    all.goOn();
    expect(running).toHaveLength(5);
  });

  it('postpones the jobs of a host whose breaker opens, and lets one probe go when it ends', async () => {
    const all = scheduler({ perHost: 4, failures: 4 });
    add(all, 'dead', 10);
    await end('dead', FAILURE);
    // Each that failed made room for one more, but for the last.
    expect(postponed).toHaveLength(3);
    // Not until the breaker lets a probe go: another process may find the host well before that.
    expect(postponed[0]!.until).toBe(Date.now() + 5000);
    await end('dead', FAILURE);
    expect(all.activity()).toEqual({ inFlight: 0, waiting: 0, paused: 0, broken: 1 });
    expect(all.room('dead')).toBe(0);

    vi.advanceTimersByTime(30_000);
    expect(all.room('dead')).toBe(1);
    add(all, 'dead', 3, true);
    expect(runningTo('dead')).toBe(1);
    expect(claims.count).toBe(0);
    await end('dead', SUCCESS);
    expect(runningTo('dead')).toBe(2);
    expect(recovered).toEqual(['dead']);
    // At once, and for what was brought forward.
    expect(claims.count).toBe(2);
  });

  it('lets the next probe of a host go although the one before has no result', async () => {
    const all = scheduler({ failures: 1 });
    add(all, 'silent', 1);
    await end('silent', FAILURE);
    vi.advanceTimersByTime(30_000);
    add(all, 'silent', 4);
    expect(runningTo('silent')).toBe(1);
    vi.advanceTimersByTime(30_000);
    expect(runningTo('silent')).toBe(2);
  });

  it('wakes the claim loops when there is room again for retries of a host', async () => {
    const all = scheduler({ perHost: 4 });
    expect(all.room('a')).toBe(6);
    add(all, 'a', 6, true);
    expect(all.room('a')).toBe(0);
    await end('a', SUCCESS);
    expect(claims.count).toBe(0);
    await end('a', SUCCESS);
    expect(claims.count).toBe(1);
  });

  it('is idle when all jobs have ended or were removed', async () => {
    const all = scheduler({ perHost: 1 });
    add(all, 'a', 3);
    expect(all.removeWaiting()).toHaveLength(2);
    let isIdle = false;
    void all.idle().then(() => (isIdle = true));
    await end('a', SUCCESS);
    await vi.waitFor(() => expect(isIdle).toBe(true));
  });
});
