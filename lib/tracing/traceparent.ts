import {
  createTraceState,
  isSpanContextValid,
  type SpanContext,
  TraceFlags,
} from '@opentelemetry/api';
import type { Message, TraceOrigin } from '../message/index.js';

// W3C Trace Context, version 00; what later versions append is not ours.
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Converts a span context. @returns null without a trace, that is without a registered SDK */
export function toTraceOrigin(span: SpanContext): TraceOrigin | null {
  if (!isSpanContextValid(span)) return null;
  const flags = (span.traceFlags & TraceFlags.SAMPLED).toString(16).padStart(2, '0');
  return {
    traceparent: `00-${span.traceId}-${span.spanId}-${flags}`,
    tracestate: span.traceState?.serialize() || null,
  };
}

/** @returns null when the text is none, or of an impossible span */
export function toSpanContext({
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
