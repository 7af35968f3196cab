export { ThornIdempotencyKey } from './idempotency-key.entity.js';
export { IdempotencyStore, type KeptAnswer } from './idempotency-store.js';
export { InMemoryIdempotencyStore } from './in-memory-idempotency.store.js';
export { TypeOrmIdempotencyStore } from './typeorm-idempotency.store.js';
