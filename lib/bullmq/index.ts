/**
 * Delivery through BullMQ.
 *
 * @module nestjs-thorn/bullmq
 */
// Before the imports that need the packages.
import './required-packages.js';
export { bullmq } from './bullmq.js';
export type { BullMqOptions } from './bullmq-options.js';
