import type { PipeTransform } from '@nestjs/common';
import { isObject } from '../../common/objects.js';
import { InvalidInputError } from '../../errors/index.js';
import { badRequest, type RefusedField, refusedField } from '../problems/problem.js';
import { type Body, nameAsSent, unknownField, withoutAliases } from './body-fields.js';

export interface GivenFields {
  readonly fields: Body;
  readonly refused: readonly RefusedField[];
  readonly sent: Body;
}

const FIXED =
  'is given at the creation and stays as it is: create another subscriber for another one';

/**
 * Reads a body whose fields a service checks. This pipe refuses only a body that is not an object, so that {@link
 * checkedFields} can name every wrong field at once.
 *
 * The handlers declare their bodies `unknown`, so that a global ValidationPipe leaves them as they are.
 */
export class GivenFieldsPipe implements PipeTransform<unknown, GivenFields> {
  constructor(
    private readonly known: readonly string[],
    private readonly mayBeEmpty: boolean,
    /** Fields that answers show, and that only a request for a new subscriber may name. */
    private readonly fixed: readonly string[] = [],
  ) {}

  transform(body: unknown): GivenFields {
    // An empty body arrives as {} on one platform, and as undefined on the other.
    const sent = body ?? (body === undefined ? {} : null);
    if (!isObject(sent)) throw badRequest([{ field: 'body', reason: 'must be a JSON object' }]);
    const { renamed, refused } = withoutAliases(sent);
    const [known, unknown] = [true, false].map((isKnown) =>
      Object.entries(renamed).filter(([name]) => this.known.includes(name) === isKnown),
    );
    for (const [name] of unknown!) {
      const refusal = unknownField(nameAsSent(name, sent));
      refused.push(this.fixed.includes(name) ? { ...refusal, reason: FIXED } : refusal);
    }
    if (!this.mayBeEmpty && Object.keys(sent).length === 0) {
      throw badRequest([{ field: 'body', reason: 'must have at least one field' }]);
    }
    return { fields: Object.fromEntries(known!), refused, sent };
  }
}

/** @throws a 400 that names every field that one of the checks refuses */
export function checkedFields<Fields>(
  given: unknown,
  ...checks: readonly ((fields: Fields) => unknown)[]
): Fields {
  const { fields, refused, sent } = given as GivenFields;
  const all = [...refused];
  for (const check of checks) {
    for (const refusal of refusalsOf(() => check(fields as Fields))) {
      const name = nameAsSent(refusal.field, sent);
      if (!all.some((one) => one.field === name || refusal.field === ownField(one, sent))) {
        all.push(refusedField(refusal, name));
      }
    }
  }
  if (all.length > 0) throw badRequest(all);
  return fields as Fields;
}

/**
 * The field that a refused name stands for. A field that is missing only because its alias was refused is then reported
 * once.
 */
function ownField({ field }: RefusedField, sent: Body): string | undefined {
  return Object.keys(withoutAliases({ [field]: field === 'event' ? '' : sent[field] }).renamed)[0];
}

function refusalsOf(check: () => unknown): readonly InvalidInputError[] {
  try {
    check();
    return [];
  } catch (error) {
    if (error instanceof InvalidInputError) return error.all;
    throw error;
  }
}
