import { type EntityManager, In } from 'typeorm';
import { Item, Note, Stone } from './rows.js';

/** What a write does it to, drawn before it begins. */
export interface Draw {
  readonly ids: readonly number[];
  readonly value: number;
  readonly state: 'a' | 'b';
  /** Lets other connections write between two statements. */
  pause(): Promise<void>;
}

type Table = typeof Item | typeof Stone;
type Write<Entity> = (manager: EntityManager, entity: Entity, draw: Draw) => Promise<unknown>;

const rowsOf = ({ ids, value, state }: Draw) =>
  ids.map((id) => ({ id, name: `n${id}`, value, state }));
const insertOf = (manager: EntityManager, entity: Table, draw: Draw) =>
  manager.createQueryBuilder().insert().into(entity).values(rowsOf(draw));

/** Every way to write a row whose id the application chooses. */
const ROWS: Readonly<Record<string, Write<Table>>> = {
  save: (manager, entity, draw) => manager.save(entity, rowsOf(draw)[0]!),
  saveList: (manager, entity, draw) => manager.save(entity, rowsOf(draw)),
  savePart: (manager, entity, { ids: [id], value }) =>
    manager.save(entity, { id: id!, name: `n${id}`, value }),
  saveLoaded: async (manager, entity, { ids: [id], value, state, pause }) => {
    const row = await manager.findOneBy(entity, { id: id! });
    await pause();
    if (row !== null) await manager.save(entity, Object.assign(row, { value, state }));
  },
  insert: (manager, entity, draw) => manager.insert(entity, rowsOf(draw)[0]!),
  insertIgnored: (manager, entity, draw) => insertOf(manager, entity, draw).orIgnore().execute(),
  insertOrUpdate: (manager, entity, draw) =>
    insertOf(manager, entity, draw).orUpdate(['value'], ['id']).execute(),
  upsert: (manager, entity, draw) => manager.upsert(entity, rowsOf(draw), ['id']),
  upsertByName: (manager, entity, draw) => manager.upsert(entity, rowsOf(draw), ['name']),
  updateOne: (manager, entity, { ids: [id], value }) => manager.update(entity, id!, { value }),
  updateById: (manager, entity, { ids, state }) =>
    manager.update(entity, { id: In(ids) }, { state }),
  updateWhere: (manager, entity, { value, state }) => manager.update(entity, { state }, { value }),
  updateBuilt: (manager, entity, { ids, value }) =>
    manager
      .createQueryBuilder()
      .update(entity)
      .set({ value: () => `value + ${value}` })
      .where('id IN (:...ids) AND value < 4', { ids })
      .execute(),
  increment: (manager, entity, { ids, value }) =>
    manager.increment(entity, { id: In(ids) }, 'value', value),
  decrement: (manager, entity, { ids: [id] }) => manager.decrement(entity, { id: id! }, 'value', 1),
  deleteOne: (manager, entity, { ids: [id] }) => manager.delete(entity, id!),
  deleteWhere: (manager, entity, { ids, value }) => manager.delete(entity, { id: In(ids), value }),
  deleteBuilt: (manager, entity, { ids, state }) =>
    manager
      .createQueryBuilder()
      .delete()
      .from(entity)
      .where('id IN (:...ids) AND state = :state', { ids, state })
      .execute(),
  remove: async (manager, entity, { ids, pause }) => {
    const rows = await manager.findBy(entity, { id: In(ids) });
    await pause();
    await manager.remove(rows);
  },
};

const SOFT: Readonly<Record<string, Write<typeof Item>>> = {
  softRemove: async (manager, entity, { ids, pause }) => {
    const rows = await manager.findBy(entity, { id: In(ids) });
    await pause();
    await manager.softRemove(rows);
  },
  recover: async (manager, entity, { ids, pause }) => {
    const rows = await manager.find(entity, { where: { id: In(ids) }, withDeleted: true });
    await pause();
    await manager.recover(rows);
  },
  softDelete: (manager, entity, { ids, state }) =>
    manager.softDelete(entity, { id: In(ids), state }),
  restore: (manager, entity, { ids }) => manager.restore(entity, ids),
};

const NOTES: Readonly<Record<string, Write<typeof Note>>> = {
  save: (manager, entity, { value }) => manager.save(entity, { name: 'new', value }),
  saveList: (manager, entity, { ids, value }) =>
    manager.save(
      entity,
      ids.map((id) => ({ name: `new ${id}`, value })),
    ),
  insert: (manager, entity, { value }) => manager.insert(entity, { name: 'inserted', value }),
  updateWhere: (manager, entity, { ids, value }) =>
    manager.update(entity, { id: In(ids) }, { value }),
  deleteWhere: (manager, entity, { value }) => manager.delete(entity, { value }),
};

/** Every kind of write to each of the tables, by its name. */
export const WRITES: Readonly<
  Record<string, (manager: EntityManager, draw: Draw) => Promise<unknown>>
> = Object.fromEntries([
  ...Object.entries(ROWS).flatMap(([name, write]) => [
    [`item.${name}`, (manager: EntityManager, draw: Draw) => write(manager, Item, draw)],
    [`stone.${name}`, (manager: EntityManager, draw: Draw) => write(manager, Stone, draw)],
  ]),
  ...Object.entries(SOFT).map(([name, write]) => [
    `item.${name}`,
    (manager: EntityManager, draw: Draw) => write(manager, Item, draw),
  ]),
  ...Object.entries(NOTES).map(([name, write]) => [
    `note.${name}`,
    (manager: EntityManager, draw: Draw) => write(manager, Note, draw),
  ]),
]);

/** The names of all writes. */
export const WRITE_NAMES: readonly string[] = Object.keys(WRITES);
