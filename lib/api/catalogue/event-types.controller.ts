import { Controller, Get, Param } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { EventCatalogue } from '../../event/index.js';
import { type AsyncApiDocument, thornAsyncApi, thornOpenApiWebhooks } from '../../openapi/index.js';
import {
  type EventTypeDetailsView,
  eventTypeDetailsView,
  type EventTypesView,
  eventTypesView,
  subscribableEvents,
} from './event-type.view.js';
import { orNotFound } from '../problems/problem.js';

/**
 * The documents of this route need a title and a version. An application may serve documents with its own title and
 * version.
 */
const INFO = { title: 'Webhooks', version: '1.0' };

@Controller()
export class ThornEventTypesController {
  constructor(
    private readonly catalogue: EventCatalogue,
    private readonly module: ModuleRef,
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
