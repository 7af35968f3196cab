import type { AnswerHeaderOptions } from './attempt/answer-headers.js';

/** The options of the module that decide how a request is made, and what is kept of its answer. */
export abstract class DeliverySettings {
  /** Deadline of one whole request in milliseconds, unless the event sets another. Default 3000. */
  abstract readonly timeout?: number;
  /** Default `nestjs-thorn`. */
  abstract readonly userAgent?: string;
  /** The headers of answers that attempts keep. Default: a few, of attempts that failed. */
  abstract readonly answerHeaders?: AnswerHeaderOptions;
}
