import { Logger } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { RmqContext, Transport } from '@nestjs/microservices';

/** What a broker hears of an event that it has brought. */
export interface Receipt {
  /** Whether it brings the event to another worker when it hears nothing and the connection ends. */
  readonly isAwaited: boolean;
  /** It was taken care of. */
  confirm(): void;
  /** Nobody can do anything with it: not to be brought again. */
  reject(): void;
}

/** Tells the receipt of an event from the context that Nest hands over with it. */
export type Acknowledgements = (context: unknown) => Receipt;

const NOTHING: Receipt = { isAwaited: false, confirm: () => undefined, reject: () => undefined };

/** What of a microservice on RabbitMQ is of interest; no interface tells, in either major. */
interface Listener {
  readonly transportId?: unknown;
  readonly queue?: string;
  readonly noAck?: boolean;
}

/** As later versions of Nest 11 have it. */
interface WithRegistry {
  getRpcTargetRegistry?(): { subscribe(listener: (target: Listener) => void): unknown };
}

interface Channel {
  ack(message: unknown): void;
  nack(message: unknown, allUpTo: boolean, requeue: boolean): void;
}

interface Fields {
  readonly fields: { readonly exchange: string; readonly routingKey: string };
}

/** Of the transports that an event comes by, RabbitMQ alone waits for a receipt, if told so. */
export function receiptsOf(modules?: ModulesContainer): Acknowledgements {
  const listeners: Listener[] = [];
  (modules as WithRegistry | undefined)?.getRpcTargetRegistry?.().subscribe((target) => {
    if (target.transportId === Transport.RMQ) listeners.push(target);
  });
  const warned = new Set<string | undefined>();
  return (context) => {
    if (!(context instanceof RmqContext)) return NOTHING;
    const [channel, message] = [context.getChannelRef() as Channel, context.getMessage()];
    const listener = listenerOf(message as Fields, listeners);
    // A receipt that it does not wait for makes RabbitMQ close the channel.
    if (listener?.noAck !== false && listener !== undefined) {
      if (!warned.has(listener.queue)) warnOf(listener);
      warned.add(listener.queue);
      return NOTHING;
    }
    return {
      isAwaited: true,
      confirm: () => unlessClosed(() => channel.ack(message)),
      reject: () => unlessClosed(() => channel.nack(message, false, false)),
    };
  };
}

/** By way of an exchange an event does not tell its queue. */
function listenerOf({ fields }: Fields, listeners: readonly Listener[]): Listener | undefined {
  const { exchange, routingKey } = fields;
  const [first, second] = listeners;
  if (exchange === '') return listeners.find(({ queue }) => queue === routingKey);
  return second === undefined ? first : undefined;
}

function warnOf({ queue }: Listener): void {
  new Logger('Thorn').warn(
    `RabbitMQ does not wait for this worker: what it holds when it dies is delivered as late as a lease lasts. Connect the microservice of the queue ${queue ?? ''} with noAck: false and a prefetchCount, such as 200`,
  );
}

/** A channel that was closed has given its events back already. */
function unlessClosed(answer: () => void): void {
  try {
    answer();
  } catch {
    // The tickets of an event that comes again no longer fit.
  }
}
