import { Get, Inject, Param, type Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { EventCatalogue } from '../../event/index.js';
import { type AsyncApiDocument, thornAsyncApi, thornOpenApiWebhooks } from '../../openapi/index.js';
import { ApiController } from '../http/controller.decorators.js';
import type { ApiSettings } from '../options/api-options.js';
import {
  type EventTypeDetailsView,
  eventTypeDetailsView,
  type EventTypesView,
  eventTypesView,
  subscribableEvents,
} from './event-type.view.js';
import { orNotFound } from '../problems/errors.js';

/** Documents need both; the application may serve others with its own name and version. */
const INFO = { title: 'Webhooks', version: '1.0' };

export function eventTypesController(settings: ApiSettings): Type<unknown> {
  @ApiController(settings)
  class ThornEventTypesController {
    constructor(
      @Inject(EventCatalogue) private readonly catalogue: EventCatalogue,
      @Inject(ModuleRef) private readonly module: ModuleRef,
    ) {}

    @Get('/event-types')
    list(): EventTypesView {
      return eventTypesView(subscribableEvents(this.catalogue));
    }

    @Get('/event-types/:name')
    read(@Param('name') name: string): EventTypeDetailsView {
      const events = subscribableEvents(this.catalogue);
      return eventTypeDetailsView(
        orNotFound(
          events.find((event) => event.name === name),
          'event',
        ),
      );
    }

    @Get('/openapi.json')
    openApi(): object {
      return { openapi: '3.1.0', info: INFO, webhooks: thornOpenApiWebhooks(this.module) };
    }

    @Get('/asyncapi.json')
    asyncApi(): AsyncApiDocument {
      return thornAsyncApi(this.module, INFO);
    }
  }

  return ThornEventTypesController;
}
