import { Injectable, Logger } from '@nestjs/common';
import { Clock, LogLine, FaultLog } from '../../common/index.js';
import { type SubscriberFacts, WebhookEvents } from '../../delivery/index.js';
import {
  changeOf,
  disablesAt,
  type FailureFigures,
  type HealthRules,
  healthRules,
  type HealthState,
  type Subscriber,
  SubscriberRepository,
  WORKER,
} from '../../subscriber/index.js';
import { OutboxSettings } from '../outbox-options.js';
import { type HealthTable, NO_ROW, type StoredHealth } from '../tables/health-table.js';
import { healthStep, type HealthStepOfMany, PendingHealth } from './pending-health.js';
import type { Outcome } from '../outcome.js';

/** The maximum wait in milliseconds of a success whose subscriber has no failures known to this process. */
const SUCCESSES_WAIT = 1000;
const LONGEST_BACKOFF = 30_000;
const READ_AT_ONCE = 1000;

/**
 * Tracks since when a subscriber has only failed. Disables the subscriber when that lasts too long, or when its
 * endpoint answers 410. Reads and writes in sets.
 *
 * Several processes may write the same subscriber: each write names the token that it has read, and is repeated from
 * the current row when another process was first.
 */
@Injectable()
export class SubscriberHealth {
  readonly #logger = new Logger('Thorn');
  readonly #faults = new FaultLog();
  readonly #rules: HealthRules;
  /** Subscribers that had a row when this process last looked. */
  readonly #failing = new Set<string>();
  #table: HealthTable | null = null;
  #pending = new PendingHealth();
  #passing: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isUrgent = false;
  #failures = 0;
  #isStopped = false;

  /** @throws {@link ThornConfigurationError} naming the rule of the option `health` that makes no sense */
  constructor(
    private readonly subscribers: SubscriberRepository,
    private readonly events: WebhookEvents,
    private readonly clock: Clock,
    { health }: OutboxSettings,
  ) {
    this.#rules = healthRules(health);
  }

  /** Begins to keep the health in a table. Called before the first outcome. */
  start(table: HealthTable): void {
    this.#table = table;
  }

  /** As {@link disablesAt}, by the rules of the application. */
  disablesAt(health: HealthState): number | null {
    return disablesAt(health, this.#rules);
  }

  /** Takes outcomes that are written into account, with the next pass. */
  count(outcomes: readonly Outcome[]): void {
    for (const outcome of outcomes) {
      const kind = this.#pending.add(outcome);
      if (kind !== null && (kind !== 'succeeded' || this.#failing.has(outcome.subscriberId))) {
        this.#isUrgent = true;
      }
    }
    this.#schedule();
  }

  /** Resolves once every gathered outcome has been written, or writing has failed once more. */
  async idle(): Promise<void> {
    await this.#passesEnded();
    if (this.#pending.size > 0) await this.#begin();
    await this.#passesEnded();
    this.#stopTimer();
  }

  /** Called right before the database is closed: outcomes that are not written by then are not counted. */
  stop(): void {
    this.#isStopped = true;
    this.#stopTimer();
  }

  /** A pass that ends begins the next one at once for urgent outcomes that have gathered meanwhile. */
  async #passesEnded(): Promise<void> {
    while (this.#passing !== null) await this.#passing;
  }

  #schedule(): void {
    if (this.#passing !== null || this.#pending.size === 0 || this.#isStopped) return;
    const isBackingOff = this.#failures > 0;
    if (this.#isUrgent && !isBackingOff) {
      void this.#begin();
      return;
    }
    const wait = SUCCESSES_WAIT * 2 ** Math.max(0, this.#failures - 1);
    this.#timer ??= setTimeout(() => void this.#begin(), Math.min(wait, LONGEST_BACKOFF)).unref();
  }

  #begin(): Promise<void> {
    this.#stopTimer();
    this.#passing ??= this.#pass().finally(() => {
      this.#passing = null;
      this.#schedule();
    });
    return this.#passing;
  }

  async #pass(): Promise<void> {
    const pending = this.#pending;
    this.#pending = new PendingHealth();
    this.#isUrgent = false;
    try {
      // The remaining rows were written by another process, which has handled them.
      while (pending.size > 0) await this.#round(pending, this.#table!);
      this.#failures = 0;
    } catch (error) {
      if (this.#isStopped) return;
      this.#failures++;
      pending.append(this.#pending);
      this.#pending = pending;
      this.#faults.report(
        `Keeping the health of ${pending.size} subscriber(s) failed, tried again later`,
        error,
      );
    }
  }

  async #round(pending: PendingHealth, table: HealthTable): Promise<void> {
    const ids = pending.subscribers(READ_AT_ONCE);
    const stored = await table.read(ids);
    const steps = ids.map((subscriber) => {
      const before = stored.get(subscriber) ?? NO_ROW;
      const { outcomes, host } = pending.of(subscriber);
      return {
        subscriber,
        host,
        before,
        ...healthStep(before.health, outcomes, this.#rules),
      };
    });
    // First: should the write fail, this is done already the next time.
    for (const step of steps) if (step.disable !== null) await this.#disable(step, step.disable);
    const changes = steps.filter(({ before, after }) => !isSame(before.health, after));
    const written = new Set<string>();
    const silent = changes.filter(({ reports }) => reports.length === 0);
    if (silent.length > 0) for (const id of await table.write(silent)) written.add(id);
    // One by one: the process that writes a change is the one that tells of it.
    for (const step of changes)
      if (await this.#writeReported(step, table)) written.add(step.subscriber);
    for (const { subscriber, before, after } of steps) {
      if (!isSame(before.health, after) && !written.has(subscriber)) continue;
      if (after.failingSince === null) this.#failing.delete(subscriber);
      else this.#failing.add(subscriber);
      pending.remove(subscriber);
    }
  }

  async #disable({ subscriber, host }: Step, figures: NonNullable<Step['disable']>): Promise<void> {
    const { subscribers, events, clock } = this;
    const { reason } = figures;
    const found = await subscribers.findById(subscriber, 'any');
    if (found === null) {
      const text = `${subscriber} (${host}) should get no more webhooks, but is none of the stored subscribers that can be disabled`;
      this.#logger.warn(new LogLine(text, { subscriberId: subscriber, host, reason }));
      return;
    }
    // Several processes may notice it at the same time: only the one that disables the subscriber emits the event.
    if (!(await subscribers.disable(subscriber, new Date(clock.now()), figures))) return;
    const why =
      reason === 'gone'
        ? `${host} says that it is gone`
        : `every attempt at ${host} has failed for too long`;
    const text = `Subscriber ${subscriber} was disabled: ${why}`;
    this.#logger.warn(new LogLine(text, { subscriberId: subscriber, host, reason }));
    events.emit('subscriber-disabled', () => ({
      ...factsOf(subscriber, found.owner, host, figures),
      reason,
    }));
  }

  /**
   * Writes a change together with its reports to the audit, and emits their events.
   *
   * @returns whether it was this call that wrote the change
   */
  async #writeReported(step: Step, table: HealthTable): Promise<boolean> {
    const { subscriber, host, reports } = step;
    if (reports.length === 0) return false;
    const { audit } = this.subscribers;
    const found = await this.#find(step);
    const at = this.clock.now();
    const audited = reports.flatMap(({ kind, figures }) =>
      // Subscribers that the application declares in its code are never disabled.
      found === null ? [] : [changeOf(kind, found, { at, by: WORKER, figures })],
    );
    const told = audit.statements(audited);
    if (!(await table.writeOne(step, told))) return false;
    if (told.length === 0) audit.record(audited);
    for (const { kind, figures } of reports) {
      this.events.emit(`subscriber-${kind}`, () =>
        factsOf(subscriber, found?.owner ?? null, host, figures),
      );
    }
    return true;
  }

  /** The stored subscriber of a step; null where there is none, or it cannot be read. */
  async #find({ subscriber, host }: Step): Promise<Subscriber | null> {
    try {
      return await this.subscribers.findById(subscriber, 'any');
    } catch (error) {
      const what = `The health of ${subscriber} is kept and not told, since the subscriber cannot be read`;
      this.#faults.report(what, error, { subscriberId: subscriber, host });
      return null;
    }
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

interface Step extends HealthStepOfMany {
  readonly subscriber: string;
  readonly host: string;
  readonly before: StoredHealth;
}

function factsOf(
  subscriberId: string,
  owner: string | null,
  host: string,
  figures: FailureFigures,
): SubscriberFacts {
  const { share, failingSince, failingMessages, status, error, disablesAt } = figures;
  return {
    ...{ subscriberId, owner, host, share },
    ...{ failingSince, failingMessages, status, error, disablesAt },
  };
}

function isSame(one: HealthState, other: HealthState): boolean {
  return (
    one.failingSince === other.failingSince &&
    one.failingMessages === other.failingMessages &&
    one.announced === other.announced
  );
}
