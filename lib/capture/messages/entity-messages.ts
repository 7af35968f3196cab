import { Logger } from '@nestjs/common';
import type { EntityManager, ObjectLiteral } from 'typeorm';
import { FaultLog } from '../../common/index.js';
import { InvalidInputError } from '../../errors/index.js';
import type { HeardEvent, MessagePipeline } from '../../dispatch/index.js';
import { Message, type MessageDraft, type MessageFactory } from '../../message/index.js';
import type { CollectedItem, DueEvent } from '../changes/due-events.js';
import type { EntityPlan, EventPlan } from '../plan/entity-plan.js';
import { type KnownRows, mayBeChanged, loadRows } from './row-loader.js';
import { fillTemplate } from '../payload/ref-template.js';
import { withRequestData } from '../payload/request-data.js';
import { withChanges, withoutPaths } from '../rows/row-copy.js';
import { type Subject, subjectsOf } from './message-subject.js';
import { valueAtPath } from '../payload/value-at-path.js';

/** Makes the messages of what happened to entities. */
export class EntityMessages {
  readonly #logger = new Logger('Thorn');
  readonly #faults = new FaultLog();

  constructor(
    private readonly factory: MessageFactory,
    private readonly pipeline: MessagePipeline,
  ) {}

  /**
   * Reads the rows that are needed, in one query a class, and makes the messages of those events that prove to be
   * real and have recipients; messages among them pass through in their place.
   *
   * @param known what is known of the rows; where they are not to be read, an event that fails is dropped, whatever it says
   * @throws what a query throws, and what a function of an event with `propagateErrors` throws
   */
  async messagesOf(
    happened: readonly (DueEvent | Message)[],
    manager: EntityManager,
    known: KnownRows = {},
  ): Promise<Message[]> {
    const candidates = happened.filter(
      (entry) => entry instanceof Message || (this.#mayBeHeard(entry.event) && mayBeChanged(entry)),
    );
    const dueEvents = candidates.filter((entry): entry is DueEvent => !(entry instanceof Message));
    const rows = await loadRows(dueEvents, manager, known);
    const mayThrow = known.given === undefined;
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
          if (mayThrow && entry.event.options.propagateErrors === true) throw error;
          else this.#logDropped(entry.event, error);
        }
      }
    }
    return messages;
  }

  /**
   * One message; undefined when its condition does not hold.
   *
   * @param isForRecipients true: undefined as well when nobody would get it. Default false
   */
  async make(
    event: EventPlan,
    subject: Subject,
    isForRecipients = false,
  ): Promise<Message | undefined> {
    const { options, concealed, settings, metadata } = event;
    if (event.condition?.holds(conditionRow(event, subject), subject.before) === false) return;
    const row = withoutPaths(subject.row, concealed, metadata);
    const name = event.eventName.fill(subject.row);
    const audience = options.owner === undefined ? 'everyone' : 'owner';
    const owner = audience === 'everyone' ? null : this.#owner(event, row, subject.row);
    const heard: HeardEvent = { event: name, keep: settings.keep, audience, owner };
    if (isForRecipients && this.pipeline.isUnheard(heard)) return;
    const change = shownChange(subject, event);
    const data = await options.payload?.(row, change);
    return this.factory.create(this.#draft(event, heard, row, subject.row, data));
  }

  #draft(
    { options, settings, order }: EventPlan,
    { event, audience, owner }: HeardEvent,
    row: ObjectLiteral,
    whole: ObjectLiteral,
    data: unknown,
  ): MessageDraft {
    return {
      event,
      data: withRequestData(data, options.requestData),
      audience,
      owner,
      ref: refOf(options, row, whole),
      headers: typeof options.headers === 'function' ? options.headers(row) : options.headers,
      settings,
      orderBy: order?.keyOf(row, whole),
    };
  }

  /** True if nobody would get any event of these changes, whatever the rows say. */
  areUnheard(items: readonly CollectedItem[]): boolean {
    return items.every((item) => {
      if (item.type === 'message') return false;
      return !eventsOf(item).some((event) => this.#mayBeHeard(event));
    });
  }

  /** False: nobody would get an event of the entity, whatever its rows say. */
  mayBeHeard({ events }: EntityPlan): boolean {
    return events.some((event) => this.#mayBeHeard(event));
  }

  /** False: nobody would get the event, whatever its row says. */
  #mayBeHeard({ name, eventName, settings: { keep } }: EventPlan): boolean {
    if (eventName.paths.length > 0) return true;
    return !this.pipeline.isUnheard({ event: name, owner: null, audience: 'everyone', keep });
  }

  #logDropped(event: EventPlan, error: unknown): void {
    this.#faults.report(`${event.entity}: the event ${event.name} is dropped`, error);
  }

  readonly #warnedOf = new Set<EventPlan>();

  #owner(event: EventPlan, row: ObjectLiteral, whole: ObjectLiteral): string | null {
    const { owner } = event.options;
    const value = typeof owner === 'function' ? owner(row) : valueAtPath(whole, owner!);
    if (value === null || value === undefined || value === '') {
      if (!this.#warnedOf.has(event)) {
        this.#warnedOf.add(event);
        this.#logger.warn(
          `${event.entity}: the event ${event.name} declares an owner and its row has none, so only ownerless ` +
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

function eventsOf(item: CollectedItem): readonly EventPlan[] {
  if (item.type === 'message') return [];
  return item.type === 'row' ? item.plan.events : item.plan.entity.events;
}

function conditionRow(
  { readsChanges, metadata }: EventPlan,
  { row, change }: Subject,
): ObjectLiteral {
  return readsChanges ? withChanges(row, change.changes, metadata) : row;
}

/** The change as a payload may see it. */
function shownChange(
  { change }: Subject,
  { concealed, concealedInRelated, metadata, relation }: EventPlan,
): Subject['change'] {
  if (concealed.length + concealedInRelated.length === 0) return change;
  const related = relation?.inverseEntityMetadata;
  return {
    ...change,
    before: withoutPaths(change.before, concealed, metadata),
    related: related
      ? change.related.map((row) => withoutPaths(row, concealedInRelated, related))
      : change.related,
  };
}

function refOf({ ref }: EventPlan['options'], row: ObjectLiteral, whole: ObjectLiteral) {
  return typeof ref === 'string' ? fillTemplate(ref, whole) : ref?.(row);
}
