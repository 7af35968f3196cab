export { CreateThornOutbox1767312000000 } from './create-thorn-outbox.js';
export { CreateThornSubscribers1767225600000 } from './create-thorn-subscribers.js';
export { thornEntities, thornMigrations } from './thorn-schema.js';
