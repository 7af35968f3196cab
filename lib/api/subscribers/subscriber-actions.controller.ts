import { Body, Controller, Headers, HttpCode, Param, Post, Res } from '@nestjs/common';
import { EventCatalogue } from '../../event/index.js';
import {
  type ChangeTerms,
  type OwnerScope,
  type Subscriber,
  Subscribers,
} from '../../subscriber/index.js';
import { EmptyDto, RotateSecretDto, TestDto } from './subscriber-actions.dto.js';
import { ApiSettings } from '../options/api-options.js';
import { type TestView, testView } from './test.view.js';
import { CollectionPath } from '../http/collection-path.decorator.js';
import { EndpointProbe, PING_EVENT } from './endpoint-probe.js';
import { entityTag, ifMatch } from './etag.js';
import { exampleOf } from '../catalogue/event-type.view.js';
import { orNotFound, problem } from '../problems/problem.js';
import type { HeaderResponse } from '../problems/private-response.js';
import { JsonBodyPipe } from '../http/json-body.pipe.js';
import { Needs } from '../http/portal.guard.js';
import { CallerName, CallerScope, named } from '../http/owner.guard.js';
import { type SecretSubscriberView, secretOf, type SubscriberView } from './subscriber.view.js';
import { SubscriberViews } from './subscriber-views.js';

const NOTHING = new JsonBodyPipe(EmptyDto);

@Controller()
export class ThornActionsController {
  constructor(
    private readonly subscribers: Subscribers,
    private readonly views: SubscriberViews,
    private readonly catalogue: EventCatalogue,
    private readonly probe: EndpointProbe,
    private readonly settings: ApiSettings,
  ) {}

  @Post('/:id/test')
  @Needs('test')
  @HttpCode(200)
  async test(
    @CallerScope() scope: OwnerScope,
    @Param('id') id: string,
    @Body(new JsonBodyPipe(TestDto)) body: unknown,
    @Res() response: HeaderResponse,
  ): Promise<TestView> {
    const subscriber = orNotFound(await this.subscribers.findById(id, scope));
    const { event = PING_EVENT, ...given } = body as TestDto;
    const example = event === PING_EVENT ? {} : exampleOf(this.catalogue, event);
    const { data = example } = given;
    if (subscriber.verification === 'pending') {
      throw problem('endpoint-unverified', 'The endpoint has not answered its challenge yet');
    }
    countTest(this.probe, subscriber, response);
    return testView(await this.probe.send(subscriber, event, data));
  }

  /**
   * Asks the endpoint again whether it wants webhooks. An endpoint that has agreed is not asked, so that repeating the
   * request is safe.
   */
  @Post('/:id/challenge')
  @Needs('test')
  @HttpCode(200)
  async challenge(
    @CallerScope() scope: OwnerScope,
    @CallerName() by: string | undefined,
    @CollectionPath(2) collection: string,
    @Param('id') id: string,
    @Body(NOTHING) _body: unknown,
    @Res() response: HeaderResponse,
  ): Promise<SubscriberView> {
    const subscriber = orNotFound(await this.subscribers.findById(id, scope));
    if (subscriber.verification !== 'pending') return this.#view(subscriber, collection, response);
    countTest(this.probe, subscriber, response);
    const asked = await this.probe.challengeNow(subscriber, scope, named(by));
    return this.#view(asked, collection, response);
  }

  @Post('/:id/rotate-secret')
  @Needs('secrets')
  @HttpCode(200)
  async rotateSecret(
    @CallerScope() scope: OwnerScope,
    @CallerName() by: string | undefined,
    @CollectionPath(2) collection: string,
    @Param('id') id: string,
    @Body(new JsonBodyPipe(RotateSecretDto)) body: unknown,
    @Headers('if-match') expected: unknown,
    @Res() response: HeaderResponse,
  ): Promise<SecretSubscriberView> {
    const rotated = orNotFound(
      await this.subscribers.rotateSecret(id, body as RotateSecretDto, scope, {
        ...named(by),
        ...ifMatch(expected),
      }),
    );
    return {
      ...(await this.#view(rotated, collection, response)),
      secret: secretOf(rotated),
    };
  }

  /** Repeating the request is safe: without an older secret that signs, nothing changes. */
  @Post('/:id/end-rotation')
  @Needs('secrets')
  @HttpCode(200)
  async endRotation(
    @CallerScope() scope: OwnerScope,
    @CallerName() by: string | undefined,
    @CollectionPath(2) collection: string,
    @Param('id') id: string,
    @Body(NOTHING) _body: unknown,
    @Headers('if-match') expected: unknown,
    @Res() response: HeaderResponse,
  ): Promise<SubscriberView> {
    const terms = { ...named(by), ...ifMatch(expected) };
    const ended = orNotFound(await this.subscribers.endRotation(id, scope, terms));
    return this.#view(ended, collection, response);
  }

  @Post('/:id/enable')
  @HttpCode(200)
  enable(
    @CallerScope() scope: OwnerScope,
    @CallerName() by: string | undefined,
    @CollectionPath(2) collection: string,
    @Param('id') id: string,
    @Body(NOTHING) _body: unknown,
    @Headers('if-match') expected: unknown,
    @Res() response: HeaderResponse,
  ): Promise<SubscriberView> {
    return this.#switch(
      id,
      true,
      scope,
      { ...named(by), ...ifMatch(expected) },
      collection,
      response,
    );
  }

  @Post('/:id/disable')
  @HttpCode(200)
  disable(
    @CallerScope() scope: OwnerScope,
    @CallerName() by: string | undefined,
    @CollectionPath(2) collection: string,
    @Param('id') id: string,
    @Body(NOTHING) _body: unknown,
    @Headers('if-match') expected: unknown,
    @Res() response: HeaderResponse,
  ): Promise<SubscriberView> {
    return this.#switch(
      id,
      false,
      scope,
      { ...named(by), ...ifMatch(expected) },
      collection,
      response,
    );
  }

  async #switch(
    id: string,
    enabled: boolean,
    scope: OwnerScope,
    terms: ChangeTerms,
    collection: string,
    response: HeaderResponse,
  ): Promise<SubscriberView> {
    const updated = await this.subscribers.update(id, { enabled }, scope, terms);
    return this.#view(orNotFound(updated), collection, response);
  }

  #view(
    subscriber: Subscriber,
    collection: string,
    response: HeaderResponse,
  ): Promise<SubscriberView> {
    response.header('ETag', entityTag(subscriber));
    return this.views.one(subscriber, this.settings.self(collection, subscriber.id));
  }
}

/** @throws a 429 that says when the owner may send to an endpoint again */
function countTest(
  { tests }: EndpointProbe,
  { owner }: Subscriber,
  response: HeaderResponse,
): void {
  const seconds = tests.secondsToWait(owner);
  if (seconds === 0) return;
  response.header('Retry-After', String(seconds));
  throw problem('too-many-tests', `Too many tests: try again in ${seconds} seconds`);
}
