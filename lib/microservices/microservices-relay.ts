import { orTimeout } from '../common/waiting.js';
import { FaultLog } from '../common/index.js';
import type { Message } from '../message/index.js';
import {
  OutageLog,
  MessageRelay,
  batchesOf,
  type RelayWorker,
  type Ticket,
  TicketSender,
  ticketsOf,
} from '../outbox/index.js';
import type { BrokerClient } from './broker-client.js';
import type { BrokerSettings } from './microservices-options.js';
import type { Acknowledgements } from './acknowledgements.js';

const CHECKS_WITHIN = 2000;
const MOST_UNDER_WAY = 500;

/** Dependencies of {@link MicroservicesRelay}. */
export interface MicroservicesRelayDependencies {
  /** Null when this process gives nothing to the broker. */
  readonly client: BrokerClient | null;
  readonly acknowledgements: Acknowledgements;
}

/** Carries tickets by events of a broker. An event says where messages are; their contents stay in the database. */
export class MicroservicesRelay extends MessageRelay {
  readonly #faults = new FaultLog();
  readonly #outages: OutageLog;
  readonly #sender: TicketSender | null;
  readonly #underWay = new Set<Promise<void>>();
  readonly #worker: Promise<RelayWorker | null>;
  #started: (worker: RelayWorker | null) => void = () => undefined;
  #isPaused = false;
  #isClosed = false;

  constructor(
    private readonly settings: BrokerSettings,
    private readonly dependencies: MicroservicesRelayDependencies,
  ) {
    super();
    const { client } = dependencies;
    this.#worker = new Promise((resolve) => (this.#started = resolve));
    this.#outages = new OutageLog(`The broker of ${settings.pattern}`);
    this.#sender =
      client === null
        ? null
        : new TicketSender(
            (tickets) => emitAll(client, settings.pattern, tickets),
            settings.emitTimeout,
            this.#outages,
          );
  }

  override label(): string {
    return 'microservices()';
  }

  override get carries(): boolean {
    return this.settings.producer;
  }

  /**
   * Does not wait for the broker: an application that starts without it answers, and delivers the messages that the
   * database has.
   */
  override start(worker: RelayWorker | null): void {
    this.#started(worker);
    const { client } = this.dependencies;
    client?.onConnected(() => this.#outages.clear());
    client?.connect().catch((error: unknown) => {
      if (!this.#isClosed) this.#outages.report(error);
    });
  }

  override async carry(
    _messages: readonly Message[],
    tickets: readonly Ticket[],
  ): Promise<readonly Ticket[]> {
    return (await this.#sender?.add(tickets)) === true ? [] : tickets;
  }

  /** Rejects when the client reports that it has no connection. */
  override async check(): Promise<void> {
    const { client } = this.dependencies;
    if (client !== null) await orTimeout(CHECKS_WITHIN, client.connect());
  }

  /**
   * Handles an event. Resolves when the next event can be handled, perhaps before this one is finished: some transports
   * bring events one after the other.
   */
  async receive(batch: unknown, context: unknown): Promise<void> {
    const acknowledgement = this.dependencies.acknowledgements(context);
    const tickets = this.#read(batch);
    if (tickets === null) return acknowledgement.reject();
    const worker = await this.#worker;
    // The broker gives the event to another worker once the connection has ended.
    if (this.#isClosed || (this.#isPaused && acknowledgement.isAwaited)) return;
    if (worker === null) return acknowledgement.reject();
    // A broker that loses the connection gives the event to another worker while this one still works on it. So each of
    // them has to take the leases over.
    const work = worker.work(tickets, true).then(
      () => acknowledgement.confirm(),
      (error: unknown) => {
        this.#faults.report(
          `Taking over ${tickets.length} message(s) failed, workers find them in the database`,
          error,
        );
        acknowledgement.reject();
      },
    );
    await this.#whenRoom(work);
  }

  override pause(): void {
    this.#isPaused = true;
  }

  override async close(): Promise<void> {
    this.#isClosed = true;
    await this.#sender?.close();
    await Promise.all(this.#underWay);
    await this.dependencies.client?.close();
  }

  /** @returns null when the event does not hold a batch of tickets */
  #read(batch: unknown): readonly Ticket[] | null {
    try {
      return ticketsOf(batch);
    } catch (error) {
      this.#faults.report(`Cannot read an event ${this.settings.pattern}`, error);
      return null;
    }
  }

  async #whenRoom(work: Promise<void>): Promise<void> {
    this.#underWay.add(work);
    void work.finally(() => this.#underWay.delete(work));
    if (this.#underWay.size >= MOST_UNDER_WAY) await Promise.race(this.#underWay);
  }
}

async function emitAll(
  client: BrokerClient,
  pattern: string,
  tickets: readonly Ticket[],
): Promise<void> {
  await Promise.all(batchesOf(tickets).map((batch) => client.emit(pattern, batch)));
}
