import type { DialectName } from '../dialect.js';
import { mysqlTriggers } from './mysql-triggers.js';
import { postgresTriggers } from './postgres-triggers.js';
import { sqliteTriggers } from './sqlite-triggers.js';
import type { TableTriggers, TriggerPlan } from './trigger-parts.js';

const MADE_BY: Readonly<Record<DialectName, (plan: TriggerPlan) => TableTriggers>> = {
  postgres: postgresTriggers,
  sqlite: sqliteTriggers,
  mysql: mysqlTriggers,
};

export function triggersOf(plan: TriggerPlan): TableTriggers {
  return MADE_BY[plan.dialect.name](plan);
}
