import { registerDecorator, ValidateIf } from 'class-validator';
// The date alone is midnight in UTC, as in JavaScript.
const ISO = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/;

/** The error text for a text that is not a point in time. */
export const NO_MOMENT =
  'must be a time in ISO 8601 with its zone, for example 2026-01-31T08:00:00Z';

/** @returns null when the text is not a point in time in ISO 8601 with its zone */
export function parseIsoDate(text: unknown): Date | null {
  if (typeof text !== 'string' || !ISO.test(text)) return null;
  const moment = new Date(text);
  return Number.isNaN(moment.getTime()) ? null : moment;
}

/** A field of a DTO that holds one. */
export function IsIsoDate(): PropertyDecorator {
  return (target, propertyName) => {
    registerDecorator({
      name: 'isMoment',
      target: target.constructor,
      propertyName: String(propertyName),
      options: { message: NO_MOMENT },
      validator: { validate: (value: unknown) => parseIsoDate(value) !== null },
    });
  };
}

/** As {@link IsIsoDate}; the field may be left out. */
export function IsOptionalMoment(): PropertyDecorator {
  return (target, propertyName) => {
    NotRequired()(target, propertyName);
    IsIsoDate()(target, propertyName);
  };
}

/** Unlike `IsOptional`, which lets null pass as a value of any type. */
export function NotRequired(): PropertyDecorator {
  return ValidateIf((_, value: unknown) => value !== undefined);
}
