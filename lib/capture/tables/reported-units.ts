import type { ReportedChange } from '../../database/triggers/reported-table.js';
import type { Message } from '../../message/index.js';
import { type CollectedItem, dueEventsOf } from '../changes/due-events.js';
import type { LinkChange, RowChange } from '../changes/row-change.js';
import type { EntityMessages } from '../messages/entity-messages.js';
import type { RowReader } from '../messages/row-reader.js';
import type { TablePlan } from '../plan/event-plan.js';

/** A reported change of a row, or of one of its links. */
export interface ReportedItem {
  readonly change: ReportedChange;
  readonly item: RowChange | LinkChange;
}

interface MessageSources {
  readonly messages: EntityMessages;
  readonly reader: RowReader;
}

/** The changes of one row in one transaction. */
interface Unit {
  readonly plan: TablePlan;
  readonly key: string;
  readonly items: CollectedItem[];
}

/**
 * Makes messages of the changes that triggers have reported, one for each row, transaction and event. The messages of
 * one row are in the order of its changes: a transaction that began first may change the row last.
 */
export async function messagesOfUnits(
  reported: readonly ReportedItem[],
  { messages, reader }: MessageSources,
): Promise<readonly Message[]> {
  const made: Message[] = [];
  for (const items of roundsOf(unitsOf(reported))) {
    const heard = messages.heardAmong(items);
    const due = dueEventsOf(heard.items, heard.events);
    // The worker keeps the change of an event that fails, so that nothing is lost.
    made.push(...(await messages.messagesOf(due, reader, { throwsFaults: true })));
  }
  return made;
}

function unitsOf(reported: readonly ReportedItem[]): Iterable<Unit> {
  const plans = new Map<TablePlan, number>();
  const units = new Map<string, Unit>();
  for (const { change, item } of reported) {
    const plan = item.type === 'row' ? item.plan : item.plan.entity;
    const number = plans.get(plan) ?? plans.size;
    plans.set(plan, number);
    const transaction = change.transaction ?? `-${change.id}`;
    const name = `${transaction} ${number} ${item.key}`;
    const unit = units.get(name);
    if (unit === undefined) units.set(name, { plan, key: item.key, items: [item] });
    else unit.items.push(item);
  }
  return units.values();
}

/** Parts in which no row occurs twice: a row that is read is known by its key alone. */
function roundsOf(units: Iterable<Unit>): CollectedItem[][] {
  const rounds: CollectedItem[][] = [];
  let seen = new Map<TablePlan, Set<string>>();
  for (const { plan, key, items } of units) {
    if (rounds.length === 0 || seen.get(plan)?.has(key) === true) {
      rounds.push([]);
      seen = new Map();
    }
    const keys = seen.get(plan) ?? new Set<string>();
    seen.set(plan, keys.add(key));
    rounds.at(-1)!.push(...items);
  }
  return rounds;
}
