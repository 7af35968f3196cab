import { EventEmitter } from 'node:events';
import {
  type ClientOptions,
  type ClientProxy,
  ClientProxyFactory,
  type CustomClientOptions,
} from '@nestjs/microservices';
import { lastValueFrom } from 'rxjs';
import { withTimeout } from '../common/timeout.js';

const CONNECTS_WITHIN = 1000;
const CLOSES_WITHIN = 5000;

/** A client of a broker: one of our own, or one that belongs to the application. */
export class BrokerClient {
  #connecting: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly client: ClientProxy,
    private readonly isOwn: boolean,
  ) {
    this.onConnected(() => setImmediate(() => this.#guardChannel()));
  }

  static made(options: ClientOptions | CustomClientOptions): BrokerClient {
    return new BrokerClient(ClientProxyFactory.create(options as CustomClientOptions), true);
  }

  /** One that the application closes. */
  static over(client: ClientProxy): BrokerClient {
    return new BrokerClient(client, false);
  }

  /** Resolves while there is a connection, as far as the client knows. */
  async connect(): Promise<void> {
    const connecting = Promise.resolve(this.client.connect());
    this.#connecting = connecting.catch(() => undefined);
    await connecting;
  }

  /** Resolves when the transport has taken it: RabbitMQ and Kafka have confirmed it then. */
  async emit(pattern: string, data: object): Promise<void> {
    await lastValueFrom(this.client.emit<unknown>(pattern, data), { defaultValue: null });
  }

  onConnected(listener: () => void): void {
    this.client.status.subscribe((status: string) => {
      if (status === 'connected') listener();
    });
  }

  /**
   * Nest's client of RabbitMQ listens to no errors of its channel: a broker that dies while one is set up would end this
   * process.
   */
  #guardChannel(): void {
    const { channel } = this.client as { readonly channel?: unknown };
    if (channel instanceof EventEmitter && channel.listenerCount('error') === 0) {
      channel.on('error', () => undefined);
    }
  }

  async close(): Promise<void> {
    if (!this.isOwn) return;
    // A client that is closed while it sets up its channel ends the process: nobody listens to that error.
    await withTimeout(CONNECTS_WITHIN, this.#connecting, () => undefined);
    const closed = Promise.resolve(this.client.close()).then(() => undefined);
    // What it has to say to a broker that is away is of no use any more.
    await withTimeout(
      CLOSES_WITHIN,
      closed.catch(() => undefined),
      () => undefined,
    );
  }
}
