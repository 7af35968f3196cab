import type { Type } from '@nestjs/common';
import { ThornProblemsController } from '../catalogue/problems.controller.js';
import { JsonBodyGuard } from '../http/json-body.guard.js';
import { type Mount, mount } from '../http/mount.js';
import type { OperatorSettings } from '../options/operator-options.js';
import { ProblemFilter } from '../problems/problem.filter.js';
import { ThornMaintenanceController } from './maintenance.controller.js';
import { ThornOperatorReportsController } from './operator-reports.controller.js';
import { ThornOperatorController } from './operator.controller.js';

const BODY_BYTES = 65_536;

/** Mounts the controllers of the operator API. The texts of problems need no guard, because they have no data of any owner. */
export function operatorControllers({ path, guards }: OperatorSettings): readonly Type<object>[] {
  const open: Mount = { path, filters: [new ProblemFilter({ path })] };
  const guarded: Mount = { ...open, guards: [...guards, new JsonBodyGuard(BODY_BYTES)] };
  return [
    mount(ThornProblemsController, open),
    mount(ThornOperatorController, guarded),
    mount(ThornOperatorReportsController, guarded),
    mount(ThornMaintenanceController, guarded),
  ];
}
