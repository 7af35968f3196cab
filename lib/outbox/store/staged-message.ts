import type { Message } from '../../message/index.js';
import type { Staged } from '../strategy/message-stager.js';

/** A message that is stored and released, with what its holder needs. */
export interface HandedOver extends Staged {
  readonly message: Message;
}
