import type { HttpException } from '@nestjs/common';
import type { CancelResult, RetryResult } from '../../outbox/index.js';
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

/** A 409 that says why a delivery cannot be cancelled. */
export function cancelRefused(result: Exclude<CancelResult, 'cancelled'>): HttpException {
  return result === 'finished'
    ? problem('delivery-finished', 'This delivery has ended: nothing is left to cancel')
    : problem('delivery-under-way', 'An attempt of this delivery is under way');
}
