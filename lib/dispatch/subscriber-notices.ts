import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { Clock, errorText, FaultLog, LogLine } from '../common/index.js';
import { OptionChecks } from '../common/option-checks.js';
import { endedSoon, orTimeout } from '../common/waiting.js';
import { SubscriberRepository, type UntoldChange } from '../subscriber/index.js';
import { DispatchSettings } from './dispatch-settings.js';
import { DispatchStrategy } from './strategies/dispatch-strategy.js';
import type { SubscriberNotice, SubscriberNotifier } from './subscriber-notice.js';

/** Milliseconds between two looks. */
const EVERY = 1000;
/** Changes that one look reads. */
const AT_ONCE = 50;
/** Milliseconds that one call of `notify` may take. */
const ANSWERS_WITHIN = 30_000;
/** Milliseconds after which another process may tell a notice whose process has died. */
const LEASE = 60_000;
/** Calls of `notify` for one notice. With the waits between them they take about 85 minutes. */
const MOST_TRIES = 10;
/** Milliseconds until the second call. Each further wait is twice as long. */
const SHORTEST_WAIT = 10_000;

/**
 * Tells the option `notify` of changes of subscribers. A change is claimed by one process, told, and noted as told. It is
 * told again when `notify` fails, or when the process dies. Without the option nothing runs.
 */
@Injectable()
export class SubscriberNotices implements OnModuleDestroy {
  readonly #logger = new Logger('Thorn');
  readonly #faults = new FaultLog();
  readonly #notify: SubscriberNotifier | undefined;
  #timer: NodeJS.Timeout | null = null;
  #passing: Promise<void> | null = null;
  #isStopped = false;

  /** @throws {@link ThornConfigurationError} for `notify` */
  constructor(
    private readonly subscribers: SubscriberRepository,
    private readonly clock: Clock,
    private readonly strategy: DispatchStrategy,
    { notify }: DispatchSettings,
  ) {
    const check = new OptionChecks('ThornModule.forRoot()');
    check.function('notify', notify, 'that takes a notice');
    check.assert(
      'notify',
      notify === undefined || subscribers.audit.isKept,
      'needs the changes of subscribers, which this subscriberRepository does not keep: give it an audit, or leave the option out',
    );
    this.#notify = notify;
  }

  start(): void {
    // A process that leaves all work to others tells nothing either.
    if (this.#notify === undefined || this.strategy.isWorker?.() === false) return;
    this.#timer = setInterval(() => void this.pass(), EVERY).unref();
  }

  async onModuleDestroy(): Promise<void> {
    this.#isStopped = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    if (this.#passing !== null) await endedSoon(this.#passing);
  }

  /** Tells what is due. Never rejects. */
  pass(): Promise<void> {
    return (this.#passing ??= this.#pass()
      .catch((error: unknown) =>
        this.#faults.report('Looking for changes of subscribers to tell failed', error),
      )
      .finally(() => (this.#passing = null)));
  }

  async #pass(): Promise<void> {
    const { audit } = this.subscribers;
    let due: readonly UntoldChange[];
    do {
      due = await audit.due(this.clock.now(), AT_ONCE);
      for (const untold of due) {
        if (this.#isStopped) return;
        const claimed = {
          ...{ change: untold.change, tries: untold.tries + 1 },
          dueAt: this.clock.now() + LEASE,
        };
        if (!(await audit.reschedule({ ...untold, tries: claimed.tries }, claimed.dueAt))) continue;
        await this.#tell(claimed);
      }
    } while (due.length === AT_ONCE);
  }

  async #tell(claimed: UntoldChange): Promise<void> {
    const { audit } = this.subscribers;
    const { change, tries } = claimed;
    const { kind, ...facts } = change;
    const notice: SubscriberNotice = { type: `subscriber-${kind}`, ...facts };
    try {
      await orTimeout(ANSWERS_WITHIN, this.#call(notice));
    } catch (error) {
      const isLast = tries >= MOST_TRIES;
      const wait = SHORTEST_WAIT * 2 ** (tries - 1);
      const sequel = isLast
        ? `not told again after ${tries} tries`
        : `told again in ${wait / 1000} s`;
      const text = `The option notify failed for ${notice.type} of ${change.subscriberId}, ${sequel}: ${errorText(error)}`;
      this.#logger.warn(
        new LogLine(text, { subscriberId: change.subscriberId, host: change.host }),
      );
      await audit.reschedule(claimed, isLast ? null : this.clock.now() + wait);
      return;
    }
    await audit.reschedule(claimed, null, this.clock.now());
  }

  async #call(notice: SubscriberNotice): Promise<void> {
    await this.#notify!(Object.freeze(notice));
  }
}
