import * as bullmq from 'bullmq';
import { ThornConfigurationError } from '../errors/index.js';

/** @throws {@link ThornConfigurationError} when it is none, or BullMQ too old for it */
export function assertBackend(backend: unknown): void {
  if (typeof backend !== 'function') {
    throw new ThornConfigurationError(
      `bullmq({ backend }) must be a function, such as createPostgresBackend of bullmq, not ${String(backend)}`,
      { option: 'backend' },
    );
  }
  // BullMQ 5 has another third argument there.
  if ('createPostgresBackend' in bullmq) return;
  throw new ThornConfigurationError(
    'bullmq({ backend }) needs BullMQ 6: npm install bullmq@6, or leave it out and give a connection to Redis',
    { option: 'backend' },
  );
}

/**
 * A client of Redis that is given something else connects to its default address, and tries that for ever.
 *
 * @throws {@link ThornConfigurationError} when it cannot be a connection to Redis
 */
export function assertRedis(connection: unknown): asserts connection is object {
  const { url, connectionString, query } = Object(connection) as Readonly<Record<string, unknown>>;
  const isPostgres =
    [connection, connectionString, url].some(
      (text) => typeof text === 'string' && /^postgres(ql)?:/i.test(text),
    ) || typeof query === 'function';
  if (isPostgres) {
    throw new ThornConfigurationError(
      'bullmq({ connection }) is one to PostgreSQL: give it its backend as well, bullmq({ connection, backend: createPostgresBackend }) with BullMQ 6',
      { option: 'connection' },
    );
  }
  if (typeof connection === 'object' && connection !== null && !Array.isArray(connection)) return;
  throw new ThornConfigurationError(
    'bullmq({ connection }) must be a client of Redis or its options, for example { url: process.env.REDIS_URL }',
    { option: 'connection' },
  );
}
