import type { HttpException } from '@nestjs/common';
import type { RetryResult } from '../../outbox/index.js';
import { problem } from '../problems/errors.js';

/** A 409 that says why a delivery cannot be tried again now. */
export function retryRefused(result: Exclude<RetryResult, 'scheduled'>): HttpException {
  switch (result) {
    case 'under-way':
      return problem('delivery-under-way', 'An attempt of this delivery is under way');
    case 'expunged':
      return problem(
        'message-expunged',
        'The body of its message was dropped: nothing is left to send',
      );
    case 'disabled':
      return problem('subscriber-disabled', 'Its subscriber is disabled or removed');
  }
}
