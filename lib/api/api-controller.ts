import {
  Body,
  Controller,
  Delete,
  Get,
  Header,
  HttpCode,
  Inject,
  NotFoundException,
  Param,
  Patch,
  Post,
  Query,
  Res,
  type Type,
  UseGuards,
  UseInterceptors,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type OwnerScope, Subscribers } from '../subscriber/index.js';
import { apiSettings, type ThornApiOptions } from './api-options.js';
import { CollectionPath } from './collection-path.js';
import { InvalidInputInterceptor } from './invalid-input.interceptor.js';
import { JsonBodyGuard } from './json-body.guard.js';
import { OwnerGuard, Scope } from './owner.guard.js';
import { type PageQuery, PageQueryPipe } from './page-query.pipe.js';
import { RoutePaths } from './route-paths.js';
import { SubscriberBodyPipe } from './subscriber-body.pipe.js';
import { CreateSubscriberDto, UpdateSubscriberDto } from './subscriber.dto.js';
import { CreatedSubscriberView, SubscriberPageView, SubscriberView } from './subscriber.view.js';

/** What both platforms' responses can do. */
interface HeaderResponse {
  header(name: string, value: string): unknown;
}

/**
 * Makes the controller of the REST API. Every application gets a class of its own, since path and guards are the
 * class's decorators; it injects {@link Subscribers} and what the guards inject.
 *
 * @throws {@link ThornConfigurationError} when an option is missing or wrong
 */
export function apiController(options: ThornApiOptions): Type<unknown> {
  const { path, guards, owner, baseUrl } = apiSettings(options);
  const paths = new RoutePaths();

  @Controller({ path, version: VERSION_NEUTRAL })
  @UseGuards(...guards, new OwnerGuard(owner), new JsonBodyGuard())
  @UseInterceptors(new InvalidInputInterceptor())
  class SubscribersController {
    constructor(
      @Inject(Subscribers) private readonly subscribers: Subscribers,
      @Inject(HttpAdapterHost) host: HttpAdapterHost,
    ) {
      paths.adaptTo(host);
    }

    @Get(paths.list)
    async list(
      @Scope() scope: OwnerScope,
      @CollectionPath() collection: string,
      @Query(new PageQueryPipe()) query: unknown,
    ): Promise<SubscriberPageView> {
      const { items, next } = await this.subscribers.list(scope, query as PageQuery);
      return new SubscriberPageView(
        items.map((item) => new SubscriberView(item, self(collection, item.id))),
        next,
      );
    }

    @Post(paths.list)
    @Header('Cache-Control', 'no-store')
    async create(
      @Scope() scope: { readonly owner: string | null },
      @CollectionPath() collection: string,
      @Body(new SubscriberBodyPipe(CreateSubscriberDto)) body: unknown,
      @Res({ passthrough: true }) response: HeaderResponse,
    ): Promise<CreatedSubscriberView> {
      const subscriber = await this.subscribers.create({
        ...(body as CreateSubscriberDto),
        owner: scope.owner,
      });
      const location = self(collection, subscriber.id);
      response.header('Location', location);
      return new CreatedSubscriberView(subscriber, location);
    }

    @Get(paths.one)
    async read(
      @Scope() scope: OwnerScope,
      @CollectionPath() collection: string,
      @Param('id') id: string,
    ): Promise<SubscriberView> {
      const subscriber = found(await this.subscribers.findById(id, scope));
      return new SubscriberView(subscriber, self(collection, subscriber.id));
    }

    @Patch(paths.one)
    async update(
      @Scope() scope: OwnerScope,
      @CollectionPath() collection: string,
      @Param('id') id: string,
      @Body(new SubscriberBodyPipe(UpdateSubscriberDto)) body: unknown,
    ): Promise<SubscriberView> {
      const changes = body as UpdateSubscriberDto;
      const subscriber = found(await this.subscribers.update(id, changes, scope));
      return new SubscriberView(subscriber, self(collection, subscriber.id));
    }

    /** Thorn's way to change a subscriber. */
    @Post(paths.one)
    @HttpCode(200)
    updateByPost(
      @Scope() scope: OwnerScope,
      @CollectionPath() collection: string,
      @Param('id') id: string,
      @Body(new SubscriberBodyPipe(UpdateSubscriberDto)) body: unknown,
    ): Promise<SubscriberView> {
      return this.update(scope, collection, id, body);
    }

    @Delete(paths.one)
    @HttpCode(204)
    async delete(@Scope() scope: OwnerScope, @Param('id') id: string): Promise<void> {
      if (!(await this.subscribers.delete(id, scope))) throw notFound();
    }
  }

  function self(collection: string, id: string): string {
    return `${baseUrl}${collection}/${id}`;
  }

  return SubscribersController;
}

function found<Value>(value: Value | null): Value {
  if (value === null) throw notFound();
  return value;
}

/** The same whether there is no such subscriber or it is another owner's. */
function notFound(): NotFoundException {
  return new NotFoundException('There is no subscriber with this id');
}
