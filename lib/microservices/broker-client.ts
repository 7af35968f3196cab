import { EventEmitter } from 'node:events';
import {
  type ClientOptions,
  type ClientProxy,
  ClientProxyFactory,
  type CustomClientOptions,
} from '@nestjs/microservices';
import { lastValueFrom } from 'rxjs';
import { withTimeout } from '../common/waiting.js';

const CONNECTS_WITHIN = 1000;
const CLOSES_WITHIN = 5000;

/** A client of a broker, either created by Thorn or provided by the application. */
export class BrokerClient {
  #connecting: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly client: ClientProxy,
    private readonly isOwn: boolean,
  ) {
    this.onConnected(() => setImmediate(() => this.#guardChannels()));
  }

  /** Creates a client, which {@link close} closes. */
  static create(options: ClientOptions | CustomClientOptions): BrokerClient {
    return new BrokerClient(ClientProxyFactory.create(options as CustomClientOptions), true);
  }

  /** Wraps a client of the application, which the application closes. */
  static wrap(client: ClientProxy): BrokerClient {
    return new BrokerClient(client, false);
  }

  /** Resolves while there is a connection, as far as the client knows. */
  async connect(): Promise<void> {
    const connecting = Promise.resolve(this.client.connect());
    this.#connecting = connecting.catch(() => undefined);
    await connecting;
  }

  /** Resolves when the transport has accepted the event. RabbitMQ and Kafka have confirmed it then. */
  async emit(pattern: string, data: object): Promise<void> {
    await lastValueFrom(this.client.emit<unknown>(pattern, data), { defaultValue: null });
  }

  /** Calls the listener whenever a connection is established. */
  onConnected(listener: () => void): void {
    this.client.status.subscribe((status: string) => {
      if (status === 'connected') listener();
    });
  }

  /**
   * Nest's RabbitMQ client does not handle errors of its channels: it opens two at its first connection, and keeps one. Without
   * a listener on each, a broker that goes down while they are opening crashes this process.
   */
  #guardChannels(): void {
    for (const channel of channelsOf(this.client)) {
      if (channel.listenerCount('error') === 0) channel.on('error', () => undefined);
    }
  }

  /** Closes a client that Thorn created, within a few seconds. */
  async close(): Promise<void> {
    if (!this.isOwn) return;
    // A client that is closed while it opens its channel crashes the process by an unhandled error.
    await withTimeout(CONNECTS_WITHIN, this.#connecting, () => undefined);
    const closed = Promise.resolve(this.client.close()).then(() => undefined);
    // A broker that is away does not answer.
    await withTimeout(
      CLOSES_WITHIN,
      closed.catch(() => undefined),
      () => undefined,
    );
  }
}

/** The channels of a RabbitMQ client. Clients of other transports have none. */
function channelsOf(client: ClientProxy): readonly EventEmitter[] {
  const { channel } = client as { readonly channel?: unknown };
  if (!(channel instanceof EventEmitter)) return [];
  const { _channels: opened = [] } = client.unwrap<{
    readonly _channels?: readonly EventEmitter[];
  }>();
  return [...opened, channel];
}
