import { Get, Inject, Param, type Type } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { EventCatalogue } from '../../event/index.js';
import { ApiController } from '../http/controller.decorators.js';
import type { ApiSettings } from '../options/api-options.js';
import {
  EventTypeDetailsView,
  EventTypesView,
  EventTypeView,
  subscribableEvents,
} from './event-type.view.js';
import { orNotFound } from '../problems/errors.js';
import { RoutePaths } from '../platform/route-paths.js';

/** The routes that tell which events there are to subscribe to. */
export function eventTypesController(settings: ApiSettings): Type<unknown> {
  const paths = new RoutePaths();

  @ApiController(settings)
  class ThornEventTypesController {
    constructor(
      @Inject(EventCatalogue) private readonly catalogue: EventCatalogue,
      @Inject(HttpAdapterHost) host: HttpAdapterHost,
    ) {
      paths.adaptTo(host);
    }

    @Get(paths.of('/event-types'))
    list(): EventTypesView {
      const events = subscribableEvents(this.catalogue);
      return new EventTypesView(events.map((event) => new EventTypeView(event)));
    }

    @Get(paths.of('/event-types/:name'))
    read(@Param('name') name: string): EventTypeDetailsView {
      const events = subscribableEvents(this.catalogue);
      return new EventTypeDetailsView(
        orNotFound(
          events.find((event) => event.name === name),
          'event',
        ),
      );
    }
  }

  return ThornEventTypesController;
}
