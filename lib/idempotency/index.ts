export { DatabaseIdempotencyStore } from './database-idempotency.store.js';
export { IdempotencyStore, type KeptAnswer } from './idempotency-store.js';
export { InMemoryIdempotencyStore } from './in-memory-idempotency.store.js';
