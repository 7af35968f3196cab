import { parseIsoDate } from '../../common/time-text.js';
import { loadClassValidator } from '../../event/index.js';

type ClassValidator = typeof import('class-validator');

const undeclared: (() => void)[] = [];

/** Declares a rule of a DTO's field, which is made once {@link validators} loads class-validator. */
export function Rule(make: (validators: ClassValidator) => PropertyDecorator): PropertyDecorator {
  return (target, propertyName) => {
    undeclared.push(() => make(loadClassValidator())(target, propertyName));
  };
}

/** Returns class-validator, which knows the rules of all DTOs. */
export function validators(): ClassValidator {
  for (const declare of undeclared.splice(0)) declare();
  return loadClassValidator();
}

/** The error text for a text that is not a point in time. */
export const NO_MOMENT =
  'must be a time in ISO 8601 with its zone, for example 2026-01-31T08:00:00Z';

/** A field of a DTO that holds a point in time. */
export function IsIsoDate(): PropertyDecorator {
  return Rule(({ ValidateBy }) =>
    ValidateBy(
      {
        name: 'isMoment',
        validator: { validate: (value: unknown) => parseIsoDate(value) !== null },
      },
      { message: NO_MOMENT },
    ),
  );
}

/** As {@link IsIsoDate}; the field may be left out. */
export function IsOptionalMoment(): PropertyDecorator {
  return (target, propertyName) => {
    NotRequired()(target, propertyName);
    IsIsoDate()(target, propertyName);
  };
}

/** A field that holds a text. */
export function IsText(message: string): PropertyDecorator {
  return Rule(({ IsString }) => IsString({ message }));
}

/** A field that holds a text of this form. */
export function IsTextOf(form: RegExp, message: string): PropertyDecorator {
  return (target, propertyName) => {
    IsText(message)(target, propertyName);
    Rule(({ Matches }) => Matches(form, { message }))(target, propertyName);
  };
}

/** A field that holds true or false. */
export function IsFlag(): PropertyDecorator {
  return Rule(({ IsBoolean }) => IsBoolean({ message: 'must be true or false' }));
}

/** Unlike `IsOptional`, which lets null pass as a value of any type. */
export function NotRequired(): PropertyDecorator {
  return Rule(({ ValidateIf }) => ValidateIf((_, value: unknown) => value !== undefined));
}
