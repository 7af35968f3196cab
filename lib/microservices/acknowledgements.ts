import { Logger } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { RmqContext, Transport } from '@nestjs/microservices';

/** Acknowledges one event to the broker that brought it. */
export interface Acknowledgement {
  /** True when the broker gives the event to another worker after a connection ends without an acknowledgement. */
  readonly isAwaited: boolean;
  /** Reports the event as handled. */
  confirm(): void;
  /** Rejects the event, which the broker then does not bring again. */
  reject(): void;
}

/** Creates the acknowledgement of an event from the context that Nest passes along with the event. */
export type Acknowledgements = (context: unknown) => Acknowledgement;

const NONE: Acknowledgement = {
  isAwaited: false,
  confirm: () => undefined,
  reject: () => undefined,
};

/** Properties of a microservice on RabbitMQ. Neither Nest 11 nor Nest 12 has an interface for them. */
interface Listener {
  readonly transportId?: unknown;
  readonly queue?: string;
  readonly noAck?: boolean;
}

/** Later versions of Nest 11, and Nest 12. */
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

/** Creates acknowledgements for the microservices of an application. RabbitMQ alone waits for them, with `noAck: false`. */
export function createAcknowledgements(modules?: ModulesContainer): Acknowledgements {
  const listeners: Listener[] = [];
  (modules as WithRegistry | undefined)?.getRpcTargetRegistry?.().subscribe((target) => {
    if (target.transportId === Transport.RMQ) listeners.push(target);
  });
  const warned = new Set<string | undefined>();
  return (context) => {
    if (!(context instanceof RmqContext)) return NONE;
    const [channel, message] = [context.getChannelRef() as Channel, context.getMessage()];
    const listener = findListener(message as Fields, listeners);
    // RabbitMQ closes the channel upon an acknowledgement that it does not wait for.
    if (listener?.noAck !== false && listener !== undefined) {
      if (!warned.has(listener.queue)) warnOf(listener);
      warned.add(listener.queue);
      return NONE;
    }
    return {
      isAwaited: true,
      confirm: () => unlessClosed(() => channel.ack(message)),
      reject: () => unlessClosed(() => channel.nack(message, false, false)),
    };
  };
}

/** Finds the microservice that an event came by. The event does not name its queue if an exchange has routed it. */
function findListener({ fields }: Fields, listeners: readonly Listener[]): Listener | undefined {
  const { exchange, routingKey } = fields;
  const [first, second] = listeners;
  if (exchange === '') return listeners.find(({ queue }) => queue === routingKey);
  return second === undefined ? first : undefined;
}

function warnOf({ queue }: Listener): void {
  new Logger('Thorn').warn(
    `RabbitMQ does not wait for this worker: messages that it holds when it crashes are delivered only once their leases expire. Connect the microservice of the queue ${queue ?? ''} with noAck: false and a prefetchCount, such as 200`,
  );
}

/** RabbitMQ has given the events of a closed channel to other workers already. */
function unlessClosed(acknowledge: () => void): void {
  try {
    acknowledge();
  } catch {
    // The other worker finds that the leases of the tickets no longer fit.
  }
}
