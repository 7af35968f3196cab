export { bullmq } from './bullmq.js';
export type { BullMqOptions } from './bullmq-options.js';
