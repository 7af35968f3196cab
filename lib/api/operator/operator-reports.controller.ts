import { Get, Inject, Param, Query, type Type } from '@nestjs/common';
import {
  type AttemptFiguresQuery,
  type AttemptHistory,
  DeliveryReports,
  type SentRequest,
} from '../../outbox/index.js';
import { FIGURES_QUERY } from '../deliveries/delivery-query.js';
import { QueryPipe } from '../http/query.pipe.js';
import { OperatorController } from '../http/controller.decorators.js';
import type { OperatorSettings } from '../options/operator-options.js';
import { orNotFound, problem } from '../problems/errors.js';
import { ApplicationReport, type SetupReport } from './application-report.js';
import { OWNER_QUERY, scopeFrom } from './owner-query.js';

export function operatorReportsController(settings: OperatorSettings): Type<unknown> {
  @OperatorController(settings)
  class ThornOperatorReportsController {
    constructor(
      @Inject(DeliveryReports) private readonly reports: DeliveryReports,
      @Inject(ApplicationReport) private readonly application: ApplicationReport,
    ) {}

    @Get('report')
    report(): Promise<SetupReport> {
      return this.application.read();
    }

    @Get('deliveries/:delivery/request')
    async request(@Param('delivery') id: string): Promise<SentRequest> {
      if (!settings.bodies) {
        throw problem(
          'forbidden',
          'Operators do not see what was sent: set the option operatorApi.bodies to true',
        );
      }
      return orNotFound(await this.reports.request(id, 'any'), 'delivery');
    }

    @Get('stats')
    async figures(
      @Query(new QueryPipe({ ...OWNER_QUERY, ...FIGURES_QUERY }, settings.queryParameters))
      query: unknown,
    ): Promise<AttemptHistory> {
      const { scope, asked } = scopeFrom<AttemptFiguresQuery>(query);
      return orNotFound(await this.reports.figures(asked, scope));
    }
  }

  return ThornOperatorReportsController;
}
