import { isSpanContextValid, type SpanContext, TraceFlags } from '@opentelemetry/api';

// W3C Trace Context, version 00; what later versions append is not ours.
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** @returns null when there is no trace: no SDK is registered */
export function traceparentOf(span: SpanContext): string | null {
  if (!isSpanContextValid(span)) return null;
  const flags = (span.traceFlags & TraceFlags.SAMPLED).toString(16).padStart(2, '0');
  return `00-${span.traceId}-${span.spanId}-${flags}`;
}

/** @returns null when the text is none, or of an impossible span */
export function spanContextOf(traceparent: string | null): SpanContext | null {
  const found = traceparent === null ? null : TRACEPARENT.exec(traceparent);
  if (found === null) return null;
  const [, traceId, spanId, flags] = found;
  const context: SpanContext = {
    traceId: traceId!,
    spanId: spanId!,
    traceFlags: Number.parseInt(flags!, 16) & TraceFlags.SAMPLED,
    isRemote: true,
  };
  return isSpanContextValid(context) ? context : null;
}
