export { bullmq } from './bullmq.js';
export type {
  BullMqOptions,
  QueueBackendConnection,
  QueueBackendFactory,
} from './bullmq-options.js';
