import {
  applyDecorators,
  Controller,
  Get,
  Header,
  HttpCode,
  Inject,
  MethodNotAllowedException,
  Optional,
  Param,
  Post,
  type Type,
  UseFilters,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { UnsubscribeLinks } from '../../signing/index.js';
import { type Subscriber, Subscribers } from '../../subscriber/index.js';
import type { ApiSettings } from '../options/api-options.js';
import { orNotFound } from '../http/errors.js';
import { ProblemFilter } from '../http/problem.filter.js';
import { RoutePaths } from '../http/route-paths.js';

/**
 * Where the links of webhooks lead, with the option `unsubscribe`: no guard of the API applies, the signature of the link
 * lets its receiver in. Without the option there is nothing to be found.
 */
export function unsubscribeController(settings: ApiSettings): Type<unknown> {
  const paths = new RoutePaths();
  const link = paths.of('/unsubscribe/:id/:proof');

  @applyDecorators(
    Controller({ path: settings.path, version: VERSION_NEUTRAL }),
    ...(settings.problems ? [UseFilters(new ProblemFilter())] : []),
  )
  class ThornUnsubscribeController {
    constructor(
      @Inject(Subscribers) private readonly subscribers: Subscribers,
      @Optional() @Inject(UnsubscribeLinks) private readonly links: UnsubscribeLinks | null,
      @Inject(HttpAdapterHost) host: HttpAdapterHost,
    ) {
      paths.adaptTo(host);
    }

    /** What merely opens links, such as a scanner, changes nothing and is told nothing. */
    @Get(link)
    @Header('Allow', 'POST')
    refuse(): never {
      throw new MethodNotAllowedException('Unsubscribe with a POST of this link');
    }

    @Post(link)
    @HttpCode(204)
    async unsubscribe(@Param('id') id: string, @Param('proof') proof: string): Promise<void> {
      const { owner } = orNotFound(await this.#linked(id, proof));
      orNotFound((await this.subscribers.delete(id, { owner })) || null);
    }

    /** Looks a subscriber up only for links that are signed: anybody can send anything here. */
    async #linked(id: string, proof: string): Promise<Subscriber | null> {
      if (this.links?.isSigned(id, proof) !== true) return null;
      const subscriber = await this.subscribers.findById(id, 'any');
      return subscriber !== null && this.links.isOf(subscriber.url, proof) ? subscriber : null;
    }
  }

  return ThornUnsubscribeController;
}
