export {
  type ConditionBuilder,
  Q,
  type AnyRow,
  type Combinators,
  type CompiledCondition,
  type Condition,
  type FieldCondition,
} from './conditions/condition.js';
export {
  compileCondition,
  conditionFromJson,
  conditionToJson,
  type JsonValue,
} from './conditions/condition-compile.js';
export type { FieldKind } from './conditions/condition-fields.js';
export {
  BULK_SETTINGS,
  checkBulkSettings,
  type BulkSettings,
  type BulkWrites,
} from './bulk-settings.js';
export { EventCatalogue, EventSettings } from './catalogue.js';
export { checkFilterFields } from './schemas/filter-check.js';
export type { UncheckedPaths } from './schemas/unchecked-paths.js';
export { checkDataPaths } from './schemas/body-paths.js';
export { dataSchemaOf } from './schemas/class-schema.js';
export {
  type DataClass,
  type DataType,
  dataType,
  defineEvents,
  type EventDeclaration,
  type EventDefinition,
  type EventDefinitions,
} from './define-events.js';
export { compileEventName } from './event-name.js';
export {
  columnsNamed,
  decoratedEntities,
  type DeclaredEntityEvent,
  type EntityClass,
  isEntityClass,
  entityEventsOf,
} from './entity-events.js';
export type {
  ChangedRow,
  ColumnSettings,
  EntityChange,
  EntityChanges,
  EntityEventOptions,
  EntityEventSettings,
  EntityTrigger,
  FieldTrigger,
  Path,
  RelationPath,
  RelationTrigger,
  RequestData,
  SubjectValue,
  ValueChange,
} from './event-settings.js';
export type {
  ReportedValues,
  TableEventOptions,
  TableEventSettings,
  TableOptions,
  TableTrigger,
} from './table-settings.js';
export type { JsonSchema } from './schemas/json-schema.js';
export { nearestNames } from './event-patterns.js';
export { type MethodEvent, methodEventsOf } from './method-events.js';
export { loadClassValidator } from './schemas/validator-schema.js';
