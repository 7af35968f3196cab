import type { Message } from './message.js';
import type { Recipient } from './recipient.js';

/** A request that is about to be made, for {@link MessageTracing}. */
export interface TracedAttempt {
  readonly message: Message;
  readonly recipient: Recipient;
  /** Id of the delivery. */
  readonly delivery: string;
  /** The number of the request within its delivery, from 1; null when the strategy does not count requests. */
  readonly number: number | null;
}

/** W3C Trace Context of a message: its place in a trace. */
export interface TraceOrigin {
  /** The header `traceparent`. */
  readonly traceparent: string;
  /**
   * The header `tracestate`, to which each tracing system on the way adds its own part. More than 512 characters are
   * stored shortened, as the specification says. Default null.
   */
  readonly tracestate?: string | null;
}

/** The result of a request, for {@link MessageTracing}. */
export interface TracedResult {
  readonly outcome: 'succeeded' | 'failed';
  /** Null: the endpoint did not respond. */
  readonly status: number | null;
  readonly error: { readonly code: string } | null;
}

/**
 * Follows messages from where they are made to the requests that deliver them, in whichever process.
 *
 * Pluggable: this class is the injection token; the default follows nothing. `nestjs-thorn/opentelemetry` has one, which
 * is given as `ThornModule.forRoot({ tracing: openTelemetry() })`.
 */
export abstract class MessageTracing {
  /**
   * Called when a message has been made, where it was sent or captured.
   *
   * @returns the W3C Trace Context that is stored with the message, or null for none
   */
  abstract made(message: { readonly id: string; readonly event: string }): TraceOrigin | null;

  /**
   * Wraps the storing of messages; passes on what `work` resolves to or throws. On PostgreSQL `work` leaves messages to the
   * COMMIT of their transaction, which fails with them.
   */
  abstract stage(messages: readonly Message[], work: () => Promise<void>): Promise<void>;

  /**
   * Wraps one request; passes on what `work` resolves to. `work` never rejects; its argument is headers to send along.
   *
   * @param attempt its message carries the `traceparent` and `tracestate` that {@link made} has returned
   */
  abstract attempt<Result extends TracedResult>(
    attempt: TracedAttempt,
    work: (headers: Readonly<Record<string, string>> | undefined) => Promise<Result>,
  ): Promise<Result>;
}

/** Follows nothing. */
export class NoTracing extends MessageTracing {
  override made(): null {
    return null;
  }

  override stage(_messages: readonly Message[], work: () => Promise<void>): Promise<void> {
    return work();
  }

  override attempt<Result extends TracedResult>(
    _attempt: TracedAttempt,
    work: (headers: undefined) => Promise<Result>,
  ): Promise<Result> {
    return work(undefined);
  }
}
