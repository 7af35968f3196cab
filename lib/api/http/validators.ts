import type { Type } from '@nestjs/common';
import { parseIsoDate } from '../../common/time.js';
import { loadClassValidator } from '../../event/index.js';
import type { RefusedField } from '../problems/problem.js';
import { type Fields, flag, type Schema, some, text, time } from '../../common/json-schema.js';

type ClassValidator = typeof import('class-validator');
type Rule = (validators: ClassValidator) => PropertyDecorator;

interface DeclaredField {
  readonly schema: Schema;
  readonly isRequired: boolean;
}

const KEY = 'thorn:fields';
const undeclared: (() => void)[] = [];

/** Returns class-validator, which knows the rules of all DTOs. */
export function validators(): ClassValidator {
  for (const declare of undeclared.splice(0)) declare();
  return loadClassValidator();
}

export function bodySchema({ prototype }: Type<object>): Schema {
  const declared = Object.entries({
    ...fieldsOf(Object.getPrototypeOf(prototype) as object),
    ...fieldsOf(prototype),
  });
  const fields: Fields = Object.fromEntries(declared.map(([name, { schema }]) => [name, schema]));
  return some(
    fields,
    declared.filter(([, { isRequired }]) => isRequired).map(([name]) => name),
  );
}

/** Declares a field of a DTO, which may be left out. The rules are made once {@link validators} loads class-validator. */
export function Field(schema: Schema, ...rules: readonly Rule[]): PropertyDecorator {
  // Unlike `IsOptional`, which lets null pass as a value of any type.
  const unlessLeftOut: Rule = ({ ValidateIf }) => ValidateIf((_, value) => value !== undefined);
  return declaredField({ schema, isRequired: false }, [unlessLeftOut, ...rules]);
}

/** Declares a field of a DTO that must be given; see {@link Field}. */
export function RequiredField(schema: Schema, ...rules: readonly Rule[]): PropertyDecorator {
  return declaredField({ schema, isRequired: true }, rules);
}

function declaredField(field: DeclaredField, rules: readonly Rule[]): PropertyDecorator {
  return (target, name) => {
    Reflect.defineMetadata(KEY, { ...fieldsOf(target), [String(name)]: field }, target);
    undeclared.push(() => {
      for (const rule of rules) rule(loadClassValidator())(target, name);
    });
  };
}

function fieldsOf(dto: object): Readonly<Record<string, DeclaredField>> | undefined {
  return Reflect.getOwnMetadata(KEY, dto) as Readonly<Record<string, DeclaredField>> | undefined;
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

/** Lets any value pass, because a service checks it. */
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
