export { DatabaseIdempotencyStore } from './database-idempotency.store.js';
export { ThornIdempotencyKey } from './idempotency-key.entity.js';
export { IdempotencyStore, type KeptAnswer } from './idempotency-store.js';
export { InMemoryIdempotencyStore } from './in-memory-idempotency.store.js';
