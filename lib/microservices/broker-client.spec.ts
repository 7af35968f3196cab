import { EventEmitter } from 'node:events';
import { ClientProxy } from '@nestjs/microservices';
import { describe, expect, it } from 'vitest';
import { BrokerClient } from './broker-client.js';

/** As Nest's client of RabbitMQ, as far as its channel and its connection are concerned. */
class Client extends ClientProxy {
  channel: EventEmitter | null = null;
  readonly calls: string[] = [];
  connected: () => void = () => undefined;

  connect(): Promise<void> {
    this.calls.push('connect');
    return new Promise((resolve) => (this.connected = resolve));
  }

  close(): void {
    this.calls.push('close');
  }

  override on(): void {}

  readonly opened: EventEmitter[] = [];

  unwrap<T>(): T {
    return { _channels: this.opened } as T;
  }

  /** The channels are there just after that was said. */
  open(): EventEmitter {
    this._status$.next('connected');
    this.opened.push(new EventEmitter(), new EventEmitter());
    return (this.channel = this.opened[1]!);
  }

  protected publish(): () => void {
    return () => undefined;
  }

  protected dispatchEvent<T>(): Promise<T> {
    return Promise.reject(new Error('the broker refuses it'));
  }
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('a client of a broker', () => {
  it('lets no error of a channel that is set up end the process', async () => {
    const client = new Client();
    BrokerClient.wrap(client);
    client.open();
    await nextTurn();
    for (const channel of client.opened) {
      expect(() => channel.emit('error', new Error('Channel ended'))).not.toThrow();
    }
  });

  it('leaves errors to listeners that are there already', async () => {
    const client = new Client();
    BrokerClient.wrap(client);
    const channel = client.open();
    channel.on('error', () => undefined);
    await nextTurn();
    expect(channel.listenerCount('error')).toBe(1);
  });

  it('does not end one that belongs to the application', async () => {
    const client = new Client();
    await BrokerClient.wrap(client).close();
    expect(client.calls).toEqual([]);
  });

  it('is not closed while it is connecting', async () => {
    const client = new Client();
    const broker = BrokerClient.create({
      customClass: class {
        constructor() {
          return client;
        }
      } as never,
    });
    const connecting = broker.connect();
    const closing = broker.close();
    await nextTurn();
    expect(client.calls).toEqual(['connect']);
    client.connected();
    await Promise.all([connecting, closing]);
    expect(client.calls).toEqual(['connect', 'close']);
  });
});
