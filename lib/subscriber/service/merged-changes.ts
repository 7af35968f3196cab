import { SecretUnreadableError } from '../../signing/index.js';
import type { SubscriberField } from '../model/field-kinds.js';
import { DEFAULT_FIELDS, FIELD_LIST } from '../model/subscriber-fields.js';
import type { OwnerScope, Subscriber, SubscriberUpdate } from '../model/subscriber.js';
import type { SubscriberRepository, UpdateTerms } from '../model/subscriber.repository.js';

/** A change whose fields are whole values. */
export type WholeUpdate = Omit<SubscriberUpdate, MergedField> &
  Partial<Pick<Subscriber, MergedField>>;

type MergedField = 'headers' | 'auth';

/** The fields of which a change may name a part alone. */
const MERGED = FIELD_LIST.filter(([, { merged }]) => merged !== undefined) as readonly (readonly [
  MergedField,
  SubscriberField,
])[];

/** Thrown by a check when another caller has changed a field since it was read. */
const CHANGED = new Error('It was changed meanwhile');

/**
 * Makes whole values of the fields that a change names in part, and writes the change. When another caller changes one of
 * these fields meanwhile, both changes take effect.
 *
 * @param write writes the fields on the given terms
 * @throws {@link InvalidInputError} when a whole value is refused
 */
export async function writeMerged<Terms extends UpdateTerms>(
  repository: SubscriberRepository,
  [id, scope]: readonly [id: string, scope: OwnerScope],
  changes: SubscriberUpdate,
  terms: Terms,
  write: (fields: WholeUpdate, terms: Terms) => Promise<Subscriber | null>,
): Promise<Subscriber | null> {
  const named = MERGED.filter(([name]) => changes[name] !== undefined);
  if (named.length === 0) return write(changes as WholeUpdate, terms);
  // The loop ends: every round but the last means that another caller has changed one of the fields.
  for (;;) {
    const before = await readBefore(repository, id, scope, changes);
    if (before === null) return null;
    if (isWhole(before)) terms.check?.(before);
    const whole = Object.fromEntries(
      named.map(([name, { merged }]) => [name, merged!(changes[name], before[name], name)]),
    );
    const fields = { ...changes, ...whole } as WholeUpdate;
    const check = (current: Subscriber) => {
      terms.check?.(current);
      if (named.some(([name]) => isOther(current[name], before[name]))) throw CHANGED;
    };
    try {
      return await write(fields, { ...terms, check });
    } catch (error) {
      if (error !== CHANGED) throw error;
    }
  }
}

/** The subscriber; where nothing can open its secrets, and the change gives it new ones, only the defaults. */
async function readBefore(
  repository: SubscriberRepository,
  id: string,
  scope: OwnerScope,
  { secret }: SubscriberUpdate,
): Promise<Subscriber | typeof DEFAULT_FIELDS | null> {
  try {
    return await repository.findById(id, scope);
  } catch (error) {
    if (secret !== undefined && error instanceof SecretUnreadableError) return DEFAULT_FIELDS;
    throw error;
  }
}

function isWhole(before: Subscriber | typeof DEFAULT_FIELDS): before is Subscriber {
  return before !== DEFAULT_FIELDS;
}

function isOther(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) !== JSON.stringify(other);
}
