import { Body, HttpCode, Inject, Param, Post, type Type } from '@nestjs/common';
import {
  Deliveries,
  Maintenance,
  type PruneOptions,
  type PruneSummary,
  type ReplaySummary,
  type ResealOptions,
  type ResealSummary,
} from '../../outbox/index.js';
import { SecretSealer } from '../../signing/index.js';
import { backfill, recover } from '../deliveries/bulk-replay.js';
import { BACKFILL, type BulkBody, RECOVERY } from '../deliveries/delivery-bodies.js';
import { withinTimeBudget } from '../http/time-budget.js';
import { orNotFound, problem } from '../problems/errors.js';
import { FixedResponse } from '../http/fixed-response.interceptor.js';
import { JsonBodyPipe } from '../http/json-body.pipe.js';
import { PRUNING, RESEALING } from './maintenance-bodies.js';
import { OperatorController } from '../http/controller.decorators.js';
import type { OperatorSettings } from '../options/operator-options.js';

/** Long work of operators: each request does a second of it, and says where to go on. */
export function maintenanceController(settings: OperatorSettings): Type<unknown> {
  @OperatorController(settings)
  class ThornMaintenanceController {
    constructor(
      @Inject(Maintenance) private readonly maintenance: Maintenance,
      @Inject(Deliveries) private readonly deliveries: Deliveries,
      @Inject(SecretSealer) private readonly sealer: SecretSealer,
    ) {}

    /** Drops what is old enough of messages. */
    @Post('prune')
    @FixedResponse()
    @HttpCode(200)
    prune(@Body(new JsonBodyPipe(PRUNING)) body: unknown): Promise<PruneSummary> {
      return withinTimeBudget((signal) =>
        this.maintenance.prune({ ...(body as PruneOptions), signal }),
      );
    }

    /** Seals secrets with the first key. */
    @Post('reseal')
    @FixedResponse()
    @HttpCode(200)
    reseal(@Body(new JsonBodyPipe(RESEALING)) body: unknown): Promise<ResealSummary> {
      if (!this.sealer.seals) {
        throw problem(
          'no-encryption-key',
          'There is no key to seal with: set the option encryption.keys',
        );
      }
      return withinTimeBudget((signal) =>
        this.maintenance.reseal({ ...(body as ResealOptions), signal }),
      );
    }

    /** Tries what failed of anybody's subscriber again. */
    @Post('subscribers/:id/recover')
    @FixedResponse()
    @HttpCode(200)
    async recover(
      @Param('id') id: string,
      @Body(new JsonBodyPipe(RECOVERY)) body: unknown,
    ): Promise<ReplaySummary> {
      return orNotFound(await recover(this.deliveries, id, body as BulkBody, 'any'));
    }

    /** Sends anybody's subscriber what it has missed. */
    @Post('subscribers/:id/backfill')
    @FixedResponse()
    @HttpCode(200)
    async backfill(
      @Param('id') id: string,
      @Body(new JsonBodyPipe(BACKFILL)) body: unknown,
    ): Promise<ReplaySummary> {
      return orNotFound(await backfill(this.deliveries, id, body as BulkBody, 'any'));
    }
  }

  return ThornMaintenanceController;
}
