import type { Type } from '@nestjs/common';
import {
  type Attributes,
  context,
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
  createTraceState,
  isSpanContextValid,
  type SpanContext,
  TraceFlags,
} from '@opentelemetry/api';
import { OptionChecks } from '../common/option-checks.js';
import {
  type Message,
  MessageTracing,
  type Recipient,
  type TracedAttempt,
  type TracedResult,
  type TraceOrigin,
} from '../message/index.js';

/** Options of {@link openTelemetry}. */
export interface OpenTelemetryOptions {
  /**
   * True: requests carry the headers `traceparent` and `tracestate`, so that a receiver may continue the trace.
   * Receivers then see the ids of your traces, and the data that your tracing systems put into `tracestate`. A message
   * that brings one of these headers itself keeps its own. Default false.
   */
  readonly sendTraceparent?: boolean;
}

/**
 * Spans of messages, through the API of OpenTelemetry alone: which SDK makes them, if any, is the application's choice.
 *
 * - `thorn send <event>` (producer) where a message is made, under the span that is active there; its trace context
 *   is stored with the message.
 * - `thorn stage` around the writing of messages.
 * - `thorn attempt <event>` (client) for each request, under `thorn send`, in whichever process.
 *
 * Attributes are ids, names of events, the host, the status and the kind of a failure: never a path or a query of a URL,
 * a header, a body or a secret.
 */
export class OpenTelemetryTracing extends MessageTracing {
  readonly #sendTraceparent: boolean;
  readonly #tracer: Tracer = trace.getTracer('nestjs-thorn');

  constructor({ sendTraceparent = false }: OpenTelemetryOptions = {}) {
    super();
    this.#sendTraceparent = sendTraceparent;
  }

  override made({
    id,
    event,
  }: {
    readonly id: string;
    readonly event: string;
  }): TraceOrigin | null {
    const span = this.#tracer.startSpan(`thorn send ${event}`, {
      kind: SpanKind.PRODUCER,
      attributes: {
        'messaging.system': 'thorn',
        'messaging.operation.name': 'send',
        'messaging.message.id': id,
        'thorn.event': event,
      },
    });
    // Ended at once: later spans only refer to it, and storing has a span of its own.
    span.end();
    return toTraceOrigin(span.spanContext());
  }

  override async stage(messages: readonly Message[], work: () => Promise<void>): Promise<void> {
    const origins = messages.flatMap((message) => toSpanContext(message) ?? []);
    // A span for several messages has no single message as its parent.
    const parent =
      origins.length === 1 ? trace.setSpanContext(context.active(), origins[0]!) : context.active();
    const span = this.#tracer.startSpan(
      'thorn stage',
      {
        attributes: {
          'messaging.system': 'thorn',
          'messaging.batch.message_count': messages.length,
        },
        links: origins.length === 1 ? [] : origins.map((origin) => ({ context: origin })),
      },
      parent,
    );
    try {
      await context.with(trace.setSpan(parent, span), work);
    } catch (error) {
      // Only the class of the error: the message of a driver may quote stored values.
      failed(span, error instanceof Error ? error.name : 'Error');
      throw error;
    } finally {
      span.end();
    }
  }

  override async attempt<Result extends TracedResult>(
    attempt: TracedAttempt,
    work: (headers: Readonly<Record<string, string>> | undefined) => Promise<Result>,
  ): Promise<Result> {
    const { message } = attempt;
    const parent = originOf(message);
    const span = this.#tracer.startSpan(
      `thorn attempt ${message.event}`,
      { kind: SpanKind.CLIENT, attributes: attributesOf(attempt) },
      parent,
    );
    try {
      const result = await context.with(trace.setSpan(parent, span), () =>
        work(this.#headersOf(span, message)),
      );
      recordResult(span, result);
      return result;
    } finally {
      span.end();
    }
  }

  #headersOf(span: Span, { headers }: Message): Readonly<Record<string, string>> | undefined {
    if (!this.#sendTraceparent) return undefined;
    if (Object.keys(headers).some((name) => /^trace(?:parent|state)$/i.test(name)))
      return undefined;
    const origin = toTraceOrigin(span.spanContext());
    if (origin === null) return undefined;
    const { traceparent, tracestate = null } = origin;
    return tracestate === null ? { traceparent } : { traceparent, tracestate };
  }
}

/**
 * Traces messages with OpenTelemetry; see {@link OpenTelemetryTracing}.
 *
 * @throws {@link ThornConfigurationError} naming an option that makes no sense
 *
 * @example
 * ```ts
 * ThornModule.forRoot({ tracing: openTelemetry({ sendTraceparent: true }) });
 * ```
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): Type<MessageTracing> {
  const check = new OptionChecks('openTelemetry()');
  check.names(options, ['sendTraceparent']);
  check.boolean('sendTraceparent', options.sendTraceparent);
  return class ConfiguredTracing extends OpenTelemetryTracing {
    constructor() {
      super(options);
    }
  };
}

/**
 * The active context is not used: deliveries must look the same in every process, and the active context may belong to
 * the caller of another message.
 */
function originOf(message: Message): Context {
  const origin = toSpanContext(message);
  return origin === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, origin);
}

function attributesOf({ message, recipient, delivery, number }: TracedAttempt): Attributes {
  return {
    'messaging.system': 'thorn',
    'messaging.operation.name': 'attempt',
    'messaging.message.id': message.id,
    'thorn.event': message.event,
    'thorn.delivery.id': delivery,
    'thorn.subscriber.id': recipient.id,
    ...(number === null ? undefined : { 'thorn.attempt': number }),
    'http.request.method': 'POST',
    ...serverOf(recipient),
  };
}

function serverOf({ url }: Recipient): Attributes {
  // A row that was edited by hand may hold anything; the attempt says so.
  if (!URL.canParse(url)) return {};
  const { hostname, port, protocol } = new URL(url);
  const standard = protocol === 'http:' ? 80 : 443;
  return { 'server.address': hostname, 'server.port': port === '' ? standard : Number(port) };
}

function recordResult(span: Span, { outcome, status, error }: TracedResult): void {
  if (status !== null) span.setAttribute('http.response.status_code', status);
  if (outcome === 'failed') failed(span, error?.code ?? String(status));
}

function failed(span: Span, type: string): void {
  span.setAttribute('error.type', type);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

// W3C Trace Context, version 00; what later versions append is not ours.
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Converts a span context. @returns null without a trace, that is without a registered SDK */
function toTraceOrigin(span: SpanContext): TraceOrigin | null {
  if (!isSpanContextValid(span)) return null;
  const flags = (span.traceFlags & TraceFlags.SAMPLED).toString(16).padStart(2, '0');
  return {
    traceparent: `00-${span.traceId}-${span.spanId}-${flags}`,
    tracestate: span.traceState?.serialize() || null,
  };
}

/** @returns null when the text is not a `traceparent`, or names an impossible span */
function toSpanContext({
  traceparent,
  tracestate,
}: Pick<Message, 'traceparent' | 'tracestate'>): SpanContext | null {
  const found = traceparent === null ? null : TRACEPARENT.exec(traceparent);
  if (found === null) return null;
  const [, traceId, spanId, flags] = found;
  const context: SpanContext = {
    traceId: traceId!,
    spanId: spanId!,
    traceFlags: Number.parseInt(flags!, 16) & TraceFlags.SAMPLED,
    isRemote: true,
    // Members that make no sense are left out.
    ...(tracestate !== null && { traceState: createTraceState(tracestate) }),
  };
  return isSpanContextValid(context) ? context : null;
}
