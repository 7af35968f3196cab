export {
  type ChangeTrigger,
  createChangeTrigger,
  dropChangeTrigger,
} from './create-thorn-change-feed.js';
export {
  outboxEntities,
  thornChangeFeedMigrations,
  thornEntities,
  thornMigrations,
} from './thorn-schema.js';
export { SchemaCheck } from './schema-check.js';
