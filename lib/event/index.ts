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
export { type CatalogueOptions, EventCatalogue } from './catalogue.js';
export { dataSchemaOf } from './data-schema.js';
export {
  type DataClass,
  type DataType,
  dataType,
  defineEvents,
  type EventDeclaration,
  type EventDefinition,
  type EventDefinitions,
  type EventsOf,
} from './define-events.js';
export { checkEventName, compileEventName, type EventName } from './event-name.js';
export { type DeclaredEntityEvent, type EntityClass, entityEventsOf } from './entity-events.js';
export type {
  EntityChange,
  EntityEventOptions,
  EntityEventSettings,
  EntityTrigger,
  Path,
  RelationPath,
  RelationTrigger,
  RequestData,
} from './event-settings.js';
export type { JsonSchema } from './json-schema.js';
export { type MethodEvent, methodEventsOf } from './method-events.js';
