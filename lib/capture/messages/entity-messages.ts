import { Logger } from '@nestjs/common';
import { FaultLog } from '../../common/index.js';
import { InvalidInputError } from '../../errors/index.js';
import type { HeardEvent, MessagePipeline } from '../../dispatch/index.js';
import { Message, type MessageDraft, type MessageFactory } from '../../message/index.js';
import type { CollectedItem, DueEvent } from '../changes/due-events.js';
import { mayBeReported } from '../changes/change-detection.js';
import {
  fillSubject,
  fillTemplate,
  givenData,
  withRequestData,
  valueAtPath,
} from '../plan/payload.js';
import type { EventPlan, TablePlan } from '../plan/event-plan.js';
import { withChanges, withoutPaths } from '../table/row-copy.js';
import type { Row } from '../table/row-table.js';
import { type Subject, subjectsOf } from './message-subject.js';
import { type KnownRows, readNeeded } from './needed-rows.js';
import type { RowReader } from './row-reader.js';

/** Changes that somebody may get an event of. */
interface HeardChanges {
  readonly items: readonly CollectedItem[];
  readonly events: ReadonlySet<EventPlan>;
}

/**
 * Makes messages of the changes of rows.
 *
 * Whether anybody would get an event is asked here alone, by two questions, because an owner is known only with the row:
 *
 * - {@link heardOf} asks by the event's name, before any row is read. The commit asks it for all that its transaction has
 *   collected ({@link heardAmong}). A write that has to read rows before it changes them, or to open a transaction, asks it
 *   first as well: at the commit it would be too late to spare these, and a subscriber may be created in between.
 * - {@link make} asks by the owner, before the payload is made and the message is stored. It does not ask where the event has no
 *   owner and a plain name: the answer by the name was the same.
 */
export class EntityMessages {
  readonly #logger = new Logger('Thorn');
  readonly #faults = new FaultLog();

  constructor(
    private readonly factory: MessageFactory,
    private readonly pipeline: MessagePipeline,
  ) {}

  /**
   * Reads the rows that are needed, with one query per table, and makes the messages of all events that happened and
   * that somebody subscribes to. Messages in the list are passed on in their place.
   *
   * @param known the rows that are known already. With `throwsFaults`, every event that fails throws, whatever its
   *   `propagateErrors` says. Default: false
   * @throws the error of a query, or of a function of an event with `propagateErrors`
   */
  async messagesOf(
    happened: readonly (DueEvent | Message)[],
    reader: RowReader,
    { throwsFaults = false, ...known }: KnownRows & { readonly throwsFaults?: boolean } = {},
  ): Promise<Message[]> {
    const candidates = happened.filter((entry) =>
      entry instanceof Message ? this.pipeline.isHeard(entry) : mayBeDue(entry),
    );
    const dueEvents = candidates.filter((entry): entry is DueEvent => !(entry instanceof Message));
    const rows = await readNeeded(dueEvents, reader, known);
    const messages: Message[] = [];
    for (const entry of candidates) {
      if (entry instanceof Message) {
        messages.push(entry);
        continue;
      }
      let subjects: readonly Subject[] = [];
      // The first step makes the subjects: rows that are copied call constructors and setters of the application.
      for (let of = 0; of === 0 || of < subjects.length; of++) {
        try {
          if (of === 0) subjects = subjectsOf(entry, rows);
          if (subjects.length === 0) break;
          const message = await this.make(entry.event, subjects[of]!, true);
          if (message !== undefined) messages.push(message);
        } catch (error) {
          if (throwsFaults || entry.event.options.propagateErrors === true) throw error;
          else this.#logDropped(entry.event, error);
        }
      }
    }
    return messages;
  }

  /**
   * One message; undefined when its condition does not hold.
   *
   * @param isForRecipients true: the result is also undefined when no subscriber would get the message. Default false
   */
  async make(
    event: EventPlan,
    subject: Subject,
    isForRecipients = false,
  ): Promise<Message | undefined> {
    const { options, concealed, settings, table } = event;
    if (event.condition?.holds(conditionRow(event, subject), subject.before) === false) return;
    const row = withoutPaths(subject.row, concealed, table);
    const name = event.eventName.fill(subject.row);
    const audience = options.owner === undefined ? 'everyone' : 'owner';
    const owner = audience === 'everyone' ? null : this.#owner(event, row, subject.row);
    const heard: HeardEvent = { event: name, keep: settings.keep, audience, owner };
    // For all other events, heardOf() has checked this already.
    const isKnownByRow = audience === 'owner' || event.eventName.paths.length > 0;
    if (isForRecipients && isKnownByRow && this.pipeline.isUnheard(heard)) return;
    const change = shownChange(subject, event);
    const data =
      options.payload &&
      givenData(
        await options.payload(row, change),
        'payload',
        event.table.declarationOf(event.name),
      );
    return this.factory.create({
      ...this.#draft(event, heard, row, subject.row, data),
      changed: subject.changed,
    });
  }

  #draft(
    { options, settings, order }: EventPlan,
    { event, audience, owner }: HeardEvent,
    row: Row,
    whole: Row,
    data: unknown,
  ): MessageDraft {
    return {
      event,
      data: withRequestData(data, options.requestData),
      audience,
      owner,
      ref: refOf(options, row, whole),
      subject: subjectOf(options, row, whole),
      headers: typeof options.headers === 'function' ? options.headers(row) : options.headers,
      settings,
      orderBy: order?.keyOf(row, whole),
    };
  }

  /**
   * Leaves out changes whose events no subscriber can get, whatever the rows contain. It looks at all changes before
   * they are merged and before their rows are read, and asks once per event, however many rows there are.
   *
   * @returns the items that remain, and the events of their tables that may be heard
   */
  heardAmong(all: readonly CollectedItem[]): HeardChanges {
    const events = new Set<EventPlan>();
    const unheard = new Set<TablePlan>();
    for (const plan of new Set(all.map(planOf))) {
      const heard = this.heardOf(plan?.events ?? []);
      if (plan !== undefined && heard.length === 0) unheard.add(plan);
      for (const event of heard) events.add(event);
    }
    const items = all.filter((item) => item.type === 'message' || !unheard.has(planOf(item)!));
    return { items, events };
  }

  /** Returns the events that some subscriber may get. No row of any other event would reach anybody. */
  heardOf(events: readonly EventPlan[]): readonly EventPlan[] {
    return events.filter(
      ({ name, eventName, settings: { keep } }) =>
        // A name that the row completes is not known yet.
        eventName.paths.length > 0 ||
        !this.pipeline.isUnheard({ event: name, owner: null, audience: 'everyone', keep }),
    );
  }

  #logDropped(event: EventPlan, error: unknown): void {
    this.#faults.report(`${event.table.name}: the event ${event.name} is dropped`, error);
  }

  readonly #warnedOf = new Set<EventPlan>();

  #owner(event: EventPlan, row: Row, whole: Row): string | null {
    const { owner } = event.options;
    const value = typeof owner === 'function' ? owner(row) : valueAtPath(whole, owner!);
    if (value === null || value === undefined || value === '') {
      if (!this.#warnedOf.has(event)) {
        this.#warnedOf.add(event);
        this.#logger.warn(
          `${event.table.name}: the event ${event.name} declares an owner and its row has none, so only ownerless ` +
            'subscribers get it. Fill it, or leave owner out to reach every subscriber.',
        );
      }
      return null;
    }
    if (!['string', 'number', 'bigint'].includes(typeof value)) {
      throw new InvalidInputError(
        'owner',
        `must be text, a number or a bigint, not ${typeof value}`,
      );
    }
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw new InvalidInputError('owner', `must be the id of an owner, not ${value}`);
    }
    return String(value);
  }
}

function planOf(item: CollectedItem): TablePlan | undefined {
  if (item.type === 'message') return undefined;
  return item.type === 'row' ? item.plan : item.plan.entity;
}

function mayBeDue(dueEvent: DueEvent): boolean {
  return dueEvent.kind !== 'change' || mayBeReported(dueEvent.net, dueEvent.event);
}

function conditionRow({ readsChanges, table }: EventPlan, { row, change }: Subject): Row {
  return readsChanges ? withChanges(row, change.changes, table) : row;
}

/** The change as a payload may see it. */
function shownChange(
  { change }: Subject,
  { concealed, concealedInRelated, table, relation }: EventPlan,
): Subject['change'] {
  if (concealed.length + concealedInRelated.length === 0) return change;
  return {
    ...change,
    before: withoutPaths(change.before, concealed, table),
    related: change.related.map((row) => withoutPaths(row, concealedInRelated, relation?.target)),
  };
}

function refOf({ ref }: EventPlan['options'], row: Row, whole: Row) {
  return typeof ref === 'string' ? fillTemplate(ref, whole) : ref?.(row);
}

function subjectOf({ subject }: EventPlan['options'], row: Row, whole: Row) {
  return typeof subject === 'string' ? fillSubject(subject, whole) : subject?.(row);
}
