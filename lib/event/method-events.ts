import 'reflect-metadata';
import { ThornConfigurationError } from '../errors/index.js';
import type { RecipientRules, SubscriberSource } from '../message/index.js';

/** An event that a method sends, as recorded by its decorator. */
export interface MethodEvent {
  readonly name: string;
  /** Name of the method. */
  readonly method: string;
  readonly on: 'success' | 'error';
  /** Whether it says which transaction its messages belong to, or that they belong to none. */
  readonly namesTransaction: boolean;
  /** Whether a decorator below this one has replaced the method, as `@Transactional()` does. */
  readonly isReplacedBelow: boolean;
  /** Receivers in addition to those who match. */
  readonly subscribers: SubscriberSource;
  /** Rules for the recipients of its messages, when they differ. */
  readonly recipients: RecipientRules | undefined;
}

// On the class itself, so that nothing outlives it and subclasses inherit.
const METHOD_EVENTS = Symbol.for('nestjs-thorn:method-events');

/** @throws {@link ThornConfigurationError} when the method already sends this event in the same case */
export function recordMethodEvent(target: object, event: MethodEvent): void {
  const known = methodEventsOf(target);
  if (
    known.some(
      ({ name, method, on }) => name === event.name && method === event.method && on === event.on,
    )
  ) {
    throw new ThornConfigurationError(
      'THORN_EVENT_DECLARED_TWICE',
      `${target.constructor.name}.${event.method} declares ${event.name} twice; remove one of the decorators`,
      { event: event.name, method: event.method },
    );
  }
  Reflect.defineMetadata(METHOD_EVENTS, [...known, event], target);
}

/** The events that the methods of a class send, inherited ones included. @param target the class' prototype */
export function methodEventsOf(target: object): readonly MethodEvent[] {
  return (Reflect.getMetadata(METHOD_EVENTS, target) as readonly MethodEvent[] | undefined) ?? [];
}
