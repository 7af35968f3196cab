export {
  type AnyRow,
  compileCondition,
  type ConditionContext,
  type FieldKind,
} from './condition-compile.js';
export type {
  Combinators,
  CompiledCondition,
  Condition,
  FieldCondition,
  OperatorName,
} from './condition.js';
