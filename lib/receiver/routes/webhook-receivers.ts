import { Injectable, Logger } from '@nestjs/common';
import type { Clock } from '../../common/index.js';
import { type SignedRequest, WebhookRejectedError } from '../schemes/signed-request.js';
import type { VerifiedWebhook } from './webhook-verifier.js';
import type { WebhookReceiverEvents } from './webhook-receiver-events.js';
import type { WebhookVerifier } from './webhook-verifier.js';

/** The configured receivers, by name. Inject it to verify webhooks that do not come through a route. */
@Injectable()
export class WebhookReceivers {
  readonly #logger = new Logger('ThornReceiver');

  constructor(
    private readonly verifiers: ReadonlyMap<string, WebhookVerifier>,
    private readonly events: WebhookReceiverEvents,
    private readonly clock: Clock,
  ) {}

  /** The names that `@WebhookReceiver()` accepts. */
  get names(): readonly string[] {
    return [...this.verifiers.keys()];
  }

  /**
   * Verifies a webhook of the named sender. The reason of a rejection is logged, and emitted as an event.
   *
   * @throws {@link WebhookRejectedError} with the reason
   */
  verify(name: string, request: SignedRequest): VerifiedWebhook {
    try {
      return this.#verifierOf(name).verify(request, this.clock.now());
    } catch (error) {
      if (error instanceof WebhookRejectedError) this.#report(name, error);
      throw error;
    }
  }

  #verifierOf(name: string): WebhookVerifier {
    const verifier = this.verifiers.get(name);
    // Routes are checked at start-up: this name comes from a caller.
    if (verifier === undefined)
      throw new Error(`Unknown receiver "${name}". Receivers: ${this.names.join(', ')}`);
    return verifier;
  }

  #report(receiver: string, { reason, explanation }: WebhookRejectedError): void {
    this.#logger.warn(
      `Rejected a webhook for the receiver "${receiver}" (${reason}): ${explanation}.`,
    );
    this.events.emit('rejected', { receiver, reason, explanation });
  }
}
