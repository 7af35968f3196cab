import { Controller, HttpCode, Inject, Optional, Param, Post } from '@nestjs/common';
import { UnsubscribeLinks } from '../../signing/index.js';
import { type Subscriber, Subscribers } from '../../subscriber/index.js';
import { BY_RECEIVER } from './subscription.controller.js';
import { orNotFound } from '../problems/problem.js';

/**
 * The routes of the links in webhooks, with the option `unsubscribe`. No guard of the API applies, because the
 * signature of a link proves that it is genuine. Without the option, the routes answer 404.
 */
@Controller()
export class ThornUnsubscribeController {
  constructor(
    private readonly subscribers: Subscribers,
    @Optional() @Inject(UnsubscribeLinks) private readonly links: UnsubscribeLinks | null,
  ) {}

  @Post('/unsubscribe/:id/:proof')
  @HttpCode(204)
  async unsubscribe(@Param('id') id: string, @Param('proof') proof: string): Promise<void> {
    const { owner } = orNotFound(await this.#linked(id, proof));
    orNotFound((await this.subscribers.delete(id, { owner }, BY_RECEIVER)) || null);
  }

  /** Looks a subscriber up only for a link with a valid signature, because anybody can call this route. */
  async #linked(id: string, proof: string): Promise<Subscriber | null> {
    if (this.links?.isSigned(id, proof) !== true) return null;
    const subscriber = await this.subscribers.findById(id, 'any');
    return subscriber !== null && this.links.isOf(subscriber.url, proof) ? subscriber : null;
  }
}
