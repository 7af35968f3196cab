import type { EntityMetadata, EntitySubscriberInterface } from 'typeorm';

// TypeORM 0.3 does not export the one, and wants a type argument for the other: both are taken from where they occur, so
// that the published types hold on either major.

export type RelationMetadata = EntityMetadata['relations'][number];

/** A column, or a relation that has its key in the row. */
export type Field = EntityMetadata['columns'][number] | RelationMetadata;

export type BeforeQueryEvent = Parameters<NonNullable<EntitySubscriberInterface['beforeQuery']>>[0];

export type AfterQueryEvent = Parameters<NonNullable<EntitySubscriberInterface['afterQuery']>>[0];
