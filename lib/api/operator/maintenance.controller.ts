import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { parseIsoDate } from '../../common/time.js';
import {
  Deliveries,
  Maintenance,
  type PruneSummary,
  type ReplaySummary,
  type ResealSummary,
} from '../../outbox/index.js';
import { SecretSealer } from '../../signing/index.js';
import { replay, stepSignal } from '../deliveries/bulk-replay.js';
import { BackfillDto, RecoverDto } from '../deliveries/deliveries.dto.js';
import { RecentRetries } from '../deliveries/recent-retries.js';
import { problem } from '../problems/problem.js';
import { JsonBodyPipe } from '../http/json-body.pipe.js';
import { PruneDto, ResealDto } from './operator.dto.js';

/**
 * The routes for long work of operators. Each request works for a second, and its answer has the place from which the
 * next request goes on.
 */
@Controller()
export class ThornMaintenanceController {
  constructor(
    private readonly maintenance: Maintenance,
    private readonly deliveries: Deliveries,
    private readonly retries: RecentRetries,
    private readonly sealer: SecretSealer,
  ) {}

  @Post('prune')
  @HttpCode(200)
  prune(@Body(new JsonBodyPipe(PruneDto)) body: unknown): Promise<PruneSummary> {
    const { before, dryRun = false, after = null } = body as PruneDto;
    const limit = before === undefined ? {} : { before: parseIsoDate(before)! };
    return this.maintenance.prune({ ...limit, dryRun, after, signal: stepSignal() });
  }

  @Post('reseal')
  @HttpCode(200)
  reseal(@Body(new JsonBodyPipe(ResealDto)) body: unknown): Promise<ResealSummary> {
    if (!this.sealer.seals) {
      throw problem(
        'no-encryption-key',
        'There is no key to seal with: set the option encryption.keys',
      );
    }
    const { dryRun = false, after = null } = body as ResealDto;
    return this.maintenance.reseal({ dryRun, after, signal: stepSignal() });
  }

  @Post('subscribers/:id/recover')
  @HttpCode(200)
  recover(
    @Param('id') id: string,
    @Body(new JsonBodyPipe(RecoverDto)) body: unknown,
  ): Promise<ReplaySummary> {
    return replay(id, body as RecoverDto, (options) => this.retries.retryFailed(options, 'any'));
  }

  @Post('subscribers/:id/backfill')
  @HttpCode(200)
  backfill(
    @Param('id') id: string,
    @Body(new JsonBodyPipe(BackfillDto)) body: unknown,
  ): Promise<ReplaySummary> {
    return replay(id, body as BackfillDto, (options) => this.deliveries.backfill(options, 'any'));
  }
}
