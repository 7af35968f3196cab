/**
 * A Vitest set-up file: what is waited for may take long on a busy machine. A wait without a limit of its own has that of
 * the whole run, instead of one second for `vi.waitFor()` and five for the receivers of `nestjs-thorn/testing`.
 */
import { inject, vi } from 'vitest';
import { waiting } from '../../lib/testing/arrival-waiter.js';

const timeout = inject('patience');
const { waitFor, waitUntil } = vi;
const within = (options: number | object = {}) =>
  typeof options === 'number' ? options : { timeout, ...options };

waiting.timeout = timeout;
vi.waitFor = (callback, options) => waitFor(callback, within(options));
vi.waitUntil = (callback, options) => waitUntil(callback, within(options));
