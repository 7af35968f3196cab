import { Column, DeleteDateColumn, Entity, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import { WebhookEvent, Webhooks } from '../../../lib/capture/index.js';

/** Removed for good and softly, with a condition that compares it with what it was. */
@Entity()
@Webhooks<Item>({
  payload: ({ id, name, value, state }, { on, changes }) =>
    on === 'change' ? { id, name, value, state, changes } : { id, name, value, state },
  orderBy: true,
})
@WebhookEvent<Item>('item.created', { on: 'create' })
@WebhookEvent<Item>('item.changed', { on: 'change' })
@WebhookEvent<Item>('item.full', { on: 'change', when: { value: { nowEq: 2 } } })
@WebhookEvent<Item>('item.removed', { on: 'delete' })
export class Item {
  @PrimaryColumn() id!: number;
  @Column({ unique: true }) name!: string;
  @Column({ default: 0 }) value!: number;
  @Column({ default: 'a', length: 1 }) state!: string;
  @DeleteDateColumn() deletedAt!: Date | null;
}

/** Of one key with others, and with nothing but its own columns in its events. */
@Entity()
@Webhooks<Stone>({
  payload: ({ id, name, value, state }) => ({ id, name, value, state }),
  orderBy: ({ id }) => shelfOf(id),
})
@WebhookEvent<Stone>('stone.created', { on: 'create' })
@WebhookEvent<Stone>('stone.changed', { on: 'change' })
@WebhookEvent<Stone>('stone.removed', { on: 'delete' })
export class Stone {
  @PrimaryColumn() id!: number;
  @Column({ unique: true }) name!: string;
  @Column({ default: 0 }) value!: number;
  @Column({ default: 'a', length: 1 }) state!: string;
}

/** Without a key; the database makes its ids. */
@Entity()
@Webhooks<Note>({ payload: ({ id, name, value }) => ({ id, name, value }) })
@WebhookEvent<Note>('note.created', { on: 'create' })
@WebhookEvent<Note>('note.changed', { on: 'change' })
@WebhookEvent<Note>('note.removed', { on: 'delete' })
export class Note {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
  @Column({ default: 0 }) value!: number;
}

/** Written with each message that is sent by hand, so that the database tells which of them were committed. */
@Entity()
export class Sent {
  @PrimaryColumn() id!: string;
  /** The key of the message; null of what marks the end of a transaction. */
  @Column({ type: 'varchar', nullable: true }) name!: string | null;
}

export const PROGRAM_ENTITIES = [Item, Stone, Note, Sent];

/** The event of {@link Sent}. */
export const SENT_BY_HAND = 'shelf.checked';

export function shelfOf(id: number): string {
  return `shelf:${id % 2}`;
}
