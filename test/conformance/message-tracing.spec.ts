import { trace } from '@opentelemetry/api';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NoTracing } from '../../lib/message/index.js';
import { messageTracingConformance } from './message-tracing.js';
import { OpenTelemetryTracing } from '../../lib/tracing/index.js';

const runner = { describe, it, expect };

messageTracingConformance({ name: 'NoTracing', makeTracing: () => new NoTracing() }, runner);
messageTracingConformance(
  { name: 'OpenTelemetryTracing without an SDK', makeTracing: () => new OpenTelemetryTracing() },
  runner,
);

describe('with an SDK', () => {
  beforeAll(() => {
    trace.setGlobalTracerProvider(new BasicTracerProvider());
  });
  afterAll(() => trace.disable());

  for (const sendTraceparent of [false, true]) {
    messageTracingConformance(
      {
        name: `OpenTelemetryTracing, sendTraceparent ${sendTraceparent}`,
        makeTracing: () => new OpenTelemetryTracing({ sendTraceparent }),
      },
      runner,
    );
  }
});
