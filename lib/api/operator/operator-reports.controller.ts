import { Controller, Get, Param, Query } from '@nestjs/common';
import {
  type AttemptFiguresQuery,
  type AttemptHistory,
  DeliveryReports,
  type SentRequest,
} from '../../outbox/index.js';
import { FIGURES_QUERY } from '../deliveries/log-query.js';
import { OperatorSettings } from '../options/operator-options.js';
import { orNotFound, problem } from '../problems/problem.js';
import { ApplicationReport, type SetupReport } from './application-report.js';
import { scopeFrom } from './owner-query.js';

@Controller()
export class ThornOperatorReportsController {
  constructor(
    private readonly reports: DeliveryReports,
    private readonly application: ApplicationReport,
    private readonly settings: OperatorSettings,
  ) {}

  @Get('report')
  report(): Promise<SetupReport> {
    return this.application.read();
  }

  @Get('deliveries/:delivery/request')
  async request(@Param('delivery') id: string): Promise<SentRequest> {
    if (!this.settings.bodies) {
      throw problem(
        'forbidden',
        'Operators do not see what was sent: set the option operatorApi.bodies to true',
      );
    }
    return orNotFound(await this.reports.request(id, 'any'), 'delivery');
  }

  @Get('stats')
  async figures(@Query() given: unknown): Promise<AttemptHistory> {
    const { scope, asked } = scopeFrom<AttemptFiguresQuery>(given, FIGURES_QUERY, this.settings);
    return orNotFound(await this.reports.figures(asked, scope));
  }
}
