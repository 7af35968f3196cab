import { randomBytes } from 'node:crypto';
import type { Clock } from '../common/index.js';
import { AttemptError, type WebhookHttpClient, type WebhookResponse } from '../delivery/index.js';
import { RecipientRefusedError } from '../errors/index.js';
import type { Recipient } from '../message/index.js';
import { isEchoed, type WebhookSigner } from '../signing/index.js';
import { type CallbackFailure, callbackRefused } from './mcp-events.error.js';
import { SUBSCRIPTION_HEADER } from './mcp-format.js';

/** Milliseconds that an endpoint has for its answer. */
const PATIENCE = 10_000;

/** Sends control bodies to the endpoints of subscriptions, signed as their deliveries are. */
export class Callback {
  constructor(
    private readonly httpClient: WebhookHttpClient,
    private readonly signer: WebhookSigner,
    private readonly clock: Clock,
  ) {}

  /** @throws {@link McpEventsError} unless the endpoint echoes a challenge within 10 seconds */
  async verify(recipient: Recipient, subscription: string): Promise<void> {
    const challenge = randomBytes(32).toString('base64url');
    const answer = await this.send(recipient, subscription, { type: 'verification', challenge });
    const failure = typeof answer === 'string' ? answer : failureOf(answer, challenge);
    if (failure !== null) throw callbackRefused(failure);
  }

  /** Posts a control body once. @returns the answer, or the reason why there is none */
  async send(
    recipient: Recipient,
    subscription: string,
    control: { readonly type: string; readonly [part: string]: unknown },
  ): Promise<WebhookResponse | CallbackFailure> {
    const { type: event } = control;
    const id = `msg_${event}_${randomBytes(16).toString('hex')}`;
    const body = Buffer.from(JSON.stringify(control));
    const signed = await this.signer.sign({ id, event, time: this.clock.now(), body, recipient });
    const headers = {
      ...signed,
      'Content-Type': 'application/json',
      'User-Agent': 'nestjs-thorn',
      [SUBSCRIPTION_HEADER]: subscription,
    };
    const { url } = recipient;
    try {
      return await this.httpClient.post({ url, headers, body, timeout: PATIENCE, keepAlive: true });
    } catch (error) {
      if (error instanceof RecipientRefusedError) return 'connection_refused';
      if (!(error instanceof AttemptError)) throw error;
      if (error.reason === 'timeout') return 'timeout';
      return error.reason === 'tls' ? 'tls_error' : 'connection_refused';
    }
  }
}

function failureOf({ status, body }: WebhookResponse, challenge: string): CallbackFailure | null {
  if (status >= 500) return 'http_5xx';
  if (status >= 300) return 'http_4xx';
  return isEchoed(body.toString(), 'challenge', challenge) ? null : 'challenge_failed';
}
