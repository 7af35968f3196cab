import type { Type } from '@nestjs/common';
import { maintenanceController } from './maintenance.controller.js';
import { operatorSettings, type OperatorApiOptions } from '../options/operator-options.js';
import { operatorReportsController } from './operator-reports.controller.js';
import { OpenOperatorController } from '../http/controller.decorators.js';
import { problemsController } from '../catalogue/problems.controller.js';
import { operatorController } from './operator.controller.js';

export function operatorControllers(options: OperatorApiOptions): readonly Type<unknown>[] {
  const settings = operatorSettings(options);
  return [
    problemsController(OpenOperatorController(settings)),
    operatorController(settings),
    operatorReportsController(settings),
    maintenanceController(settings),
  ];
}
