import { Logger } from '@nestjs/common';
import { orTimeout } from '../common/timeout.js';
import { errorText } from '../common/index.js';
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

/** What {@link MicroservicesRelay} is made from. */
export interface MicroservicesRelayTools {
  /** Null: this process gives nothing to the broker. */
  readonly client: BrokerClient | null;
  readonly receipts: Acknowledgements;
}

/** Carries messages by a broker. An event says where messages are; what they say stays in the database. */
export class MicroservicesRelay extends MessageRelay {
  readonly #logger = new Logger('Thorn');
  readonly #absence: OutageLog;
  readonly #sender: TicketSender | null;
  readonly #underWay = new Set<Promise<void>>();
  readonly #worker: Promise<RelayWorker | null>;
  #started: (worker: RelayWorker | null) => void = () => undefined;
  #isPaused = false;
  #isClosed = false;

  constructor(
    private readonly settings: BrokerSettings,
    private readonly tools: MicroservicesRelayTools,
  ) {
    super();
    const { client } = tools;
    this.#worker = new Promise((resolve) => (this.#started = resolve));
    this.#absence = new OutageLog(`The broker of ${settings.pattern}`);
    this.#sender =
      client === null
        ? null
        : new TicketSender(
            (tickets) => emitAll(client, settings.pattern, tickets),
            settings.emitTimeout,
            this.#absence,
          );
  }

  override get carries(): boolean {
    return this.settings.producer;
  }

  /** Does not wait for the broker: an application that starts without it answers, and delivers what it finds. */
  override start(worker: RelayWorker | null): void {
    this.#started(worker);
    const { client } = this.tools;
    client?.onConnected(() => this.#absence.clear());
    client?.connect().catch((error: unknown) => {
      if (!this.#isClosed) this.#absence.report(error);
    });
  }

  override async carry(
    _messages: readonly Message[],
    tickets: readonly Ticket[],
  ): Promise<readonly Ticket[]> {
    return (await this.#sender?.add(tickets)) === true ? [] : tickets;
  }

  /** Rejects when the client knows that it has no connection. */
  override async check(): Promise<void> {
    const { client } = this.tools;
    if (client !== null) await orTimeout(CHECKS_WITHIN, client.connect());
  }

  /**
   * Takes an event. Resolves when another one can be taken, which may be before this one is through: there are transports
   * that bring one after the other.
   */
  async receive(batch: unknown, context: unknown): Promise<void> {
    const receipt = this.tools.receipts(context);
    const tickets = this.#read(batch);
    if (tickets === null) return receipt.reject();
    const worker = await this.#worker;
    // Whoever waits for a receipt brings it to another worker once the connection has ended.
    if (this.#isClosed || (this.#isPaused && receipt.isAwaited)) return;
    if (worker === null) return receipt.reject();
    // A broker that loses the connection brings what this process is at work on to another one as well: it has to see that
    // the lease is not what it was.
    const work = worker.work(tickets, true).then(
      () => receipt.confirm(),
      (error: unknown) => {
        this.#logger.error(
          `Taking over ${tickets.length} message(s) failed, they are found in the database: ${errorText(error)}`,
        );
        receipt.reject();
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
    await this.tools.client?.close();
  }

  /** @returns null when nobody can read it */
  #read(batch: unknown): readonly Ticket[] | null {
    try {
      return ticketsOf(batch);
    } catch (error) {
      this.#logger.error(
        `An event ${this.settings.pattern} was brought that is none: ${errorText(error)}`,
      );
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
