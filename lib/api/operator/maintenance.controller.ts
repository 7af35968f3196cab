import { Body, HttpCode, Inject, Param, Post, type Type } from '@nestjs/common';
import {
  Deliveries,
  Maintenance,
  type PruneSummary,
  type ReplaySummary,
  type ResealSummary,
} from '../../outbox/index.js';
import { SecretSealer } from '../../signing/index.js';
import { replay, stepSignal } from '../deliveries/bulk-replay.js';
import { BACKFILL, RECOVER } from '../deliveries/delivery-bodies.js';
import { problem } from '../problems/errors.js';
import { FixedResponse } from '../http/fixed-response.interceptor.js';
import { BodyPipe } from '../http/body.pipe.js';
import { PRUNE, RESEAL } from './operator-bodies.js';
import { OperatorController } from '../http/controller.decorators.js';
import type { OperatorSettings } from '../options/operator-options.js';

interface StepBody {
  readonly dryRun: boolean;
  readonly after?: string;
}

/** Long work of operators: each request does a second of it, and says where to go on. */
export function maintenanceController(settings: OperatorSettings): Type<unknown> {
  @OperatorController(settings)
  class ThornMaintenanceController {
    constructor(
      @Inject(Maintenance) private readonly maintenance: Maintenance,
      @Inject(Deliveries) private readonly deliveries: Deliveries,
      @Inject(SecretSealer) private readonly sealer: SecretSealer,
    ) {}

    @Post('prune')
    @FixedResponse()
    @HttpCode(200)
    prune(@Body(new BodyPipe(PRUNE)) body: unknown): Promise<PruneSummary> {
      const { after = null, ...given } = body as StepBody & { readonly before?: Date };
      return this.maintenance.prune({ ...given, after, signal: stepSignal() });
    }

    @Post('reseal')
    @FixedResponse()
    @HttpCode(200)
    reseal(@Body(new BodyPipe(RESEAL)) body: unknown): Promise<ResealSummary> {
      if (!this.sealer.seals) {
        throw problem(
          'no-encryption-key',
          'There is no key to seal with: set the option encryption.keys',
        );
      }
      const { after = null, dryRun } = body as StepBody;
      return this.maintenance.reseal({ dryRun, after, signal: stepSignal() });
    }

    @Post('subscribers/:id/recover')
    @FixedResponse()
    @HttpCode(200)
    recover(
      @Param('id') id: string,
      @Body(new BodyPipe(RECOVER)) body: unknown,
    ): Promise<ReplaySummary> {
      return replay(this.deliveries, 'retryFailed', id, body, 'any');
    }

    @Post('subscribers/:id/backfill')
    @FixedResponse()
    @HttpCode(200)
    backfill(
      @Param('id') id: string,
      @Body(new BodyPipe(BACKFILL)) body: unknown,
    ): Promise<ReplaySummary> {
      return replay(this.deliveries, 'backfill', id, body, 'any');
    }
  }

  return ThornMaintenanceController;
}
