export { type ConditionBuilder, Q } from './condition-builder.js';
export { type AnyRow, compileCondition, type ConditionContext } from './condition-compile.js';
export type { FieldKind, FieldKinds } from './condition-fields.js';
export { conditionFromJson, conditionToJson, type JsonValue } from './condition-json.js';
export type {
  Combinators,
  CompiledCondition,
  Condition,
  FieldCondition,
  OperatorName,
} from './condition.js';
