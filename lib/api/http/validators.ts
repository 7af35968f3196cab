import type { Type } from '@nestjs/common';
import { parseIsoDate } from '../../common/time-text.js';
import { loadClassValidator } from '../../event/index.js';
import type { RefusedField } from '../problems/errors.js';
import { type Fields, flag, type Schema, some, text, time } from '../schema/schema.js';

type ClassValidator = typeof import('class-validator');
type Rule = (validators: ClassValidator) => PropertyDecorator;

const undeclared: (() => void)[] = [];
const fieldsByDto = new WeakMap<object, Record<string, Schema>>();
const required = new WeakSet<Schema>();

/** Returns class-validator, which knows the rules of all DTOs. */
export function validators(): ClassValidator {
  for (const declare of undeclared.splice(0)) declare();
  return loadClassValidator();
}

export function bodySchema({ prototype }: Type<object>): Schema {
  const fields: Fields = {
    ...fieldsByDto.get(Object.getPrototypeOf(prototype) as object),
    ...fieldsByDto.get(prototype),
  };
  return some(
    fields,
    Object.keys(fields).filter((name) => required.has(fields[name]!)),
  );
}

/** Declares a field of a DTO, which may be left out. The rules are made once {@link validators} loads class-validator. */
export function Field(schema: Schema, ...rules: readonly Rule[]): PropertyDecorator {
  // Unlike `IsOptional`, which lets null pass as a value of any type.
  const unlessLeftOut: Rule = ({ ValidateIf }) => ValidateIf((_, value) => value !== undefined);
  return declaredField(schema, [unlessLeftOut, ...rules]);
}

/** As {@link Field}, for a field that has to be given. */
export function RequiredField(schema: Schema, ...rules: readonly Rule[]): PropertyDecorator {
  const own = { ...schema };
  required.add(own);
  return declaredField(own, rules);
}

function declaredField(schema: Schema, rules: readonly Rule[]): PropertyDecorator {
  return (target, name) => {
    const fields = fieldsByDto.get(target) ?? {};
    fieldsByDto.set(target, { ...fields, [String(name)]: schema });
    undeclared.push(() => {
      for (const rule of rules) rule(loadClassValidator())(target, name);
    });
  };
}

export const NO_MOMENT =
  'must be a time in ISO 8601 with its zone, for example 2026-01-31T08:00:00Z';

export const NOT_AFTER_SINCE: RefusedField = {
  field: 'until',
  reason: 'must be after since',
  code: 'not-after-since',
};

export const isMoment: Rule = ({ ValidateBy }) =>
  ValidateBy(
    { name: 'isMoment', validator: { validate: (value: unknown) => parseIsoDate(value) !== null } },
    { message: NO_MOMENT },
  );

export function isText(message: string): Rule {
  return ({ IsString }) => IsString({ message });
}

/** Lets any value pass, for a service that looks at it. */
export const isLookedAtLater: Rule = ({ Allow }) => Allow();

export function DryRun(): PropertyDecorator {
  return Field({ ...flag, default: false, description: 'True: only counts' }, ({ IsBoolean }) =>
    IsBoolean({ message: 'must be true or false' }),
  );
}

export function Moment(description: string): PropertyDecorator {
  return Field({ ...time, description }, isMoment);
}

const NO_CURSOR = 'must be the "next" of an earlier answer';

export function Cursor(form: RegExp, maxLength: number): PropertyDecorator {
  const description = 'The next of an earlier answer';
  return Field({ ...text, maxLength, description }, isText(NO_CURSOR), ({ Matches }) =>
    Matches(form, { message: NO_CURSOR }),
  );
}
