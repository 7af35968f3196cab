import { isObject } from '../../common/objects.js';
import { InvalidInputError } from '../../errors/index.js';
import { checkCredentials, refusedTokenUrl } from '../model/credentials.js';
import { checkText, type GivenField, refusedUrl, wholeCheck } from '../model/field-kinds.js';
import {
  checkHold,
  checkShape,
  CREATION_FIELDS,
  FIELD_LIST,
  MAX_METADATA_KEY_LENGTH,
  SECRET_FIELD,
  SUBSCRIBER_FIELDS,
} from '../model/subscriber-fields.js';
import type { NewSubscriber, SubscriberUpdate } from '../model/subscriber.js';
import type { SubscriberRules } from './subscriber-rules.js';

/** The maximum length of a search text, in characters. */
export const MAX_SEARCH_LENGTH = 200;
/** The maximum number of subscribers on one page. */
const MAX_PAGE_LIMIT = 1000;

type GivenFields = Readonly<Record<string, GivenField>>;

/** The fields of a new subscriber, of which no part is known before. */
const WHOLE_FIELDS = Object.fromEntries(
  FIELD_LIST.map(([name, field]) => [name, { ...field, check: wholeCheck(field) }]),
) as unknown as typeof SUBSCRIBER_FIELDS;

const UPDATE_FIELDS = {
  ...SUBSCRIBER_FIELDS,
  secret: SECRET_FIELD,
} satisfies Record<keyof SubscriberUpdate, GivenField>;
const NEW_FIELDS = {
  ...WHOLE_FIELDS,
  secret: SECRET_FIELD,
  ...CREATION_FIELDS,
} satisfies Record<keyof NewSubscriber, GivenField>;

/**
 * Checks the input for a new subscriber, including types, because callers may be untyped.
 *
 * @param now milliseconds since the Unix epoch
 * @returns a copy with only the given fields; an undefined field counts as omitted
 * @throws {@link InvalidInputError} naming every missing, unknown or invalid field
 */
export function checkNewSubscriber(
  input: unknown,
  rules: SubscriberRules,
  now: number,
): NewSubscriber {
  const checkTogether = (given: Partial<NewSubscriber>) => {
    checkHold(given);
    checkCredentials(given);
    checkShape(given);
    const { url, format = null, contentType } = given;
    if (url !== undefined) rules.formats.checkHost({ url, format });
    if (contentType !== undefined) rules.formats.checkContentType({ contentType, format });
  };
  const required = ['url', 'events'];
  return checkFields(input, NEW_FIELDS, rules, now, checkTogether, required) as NewSubscriber;
}

/** Checks the fields of a change, as {@link checkNewSubscriber} checks the fields of a new subscriber. */
export function checkSubscriberUpdate(
  input: unknown,
  rules: SubscriberRules,
  now: number,
): SubscriberUpdate {
  // Fields that are left out keep their stored values, which are known only later.
  return checkFields<SubscriberUpdate>(input, UPDATE_FIELDS, rules, now, (changes) => {
    if (changes.onExhausted !== undefined) checkHold(changes);
  });
}

function checkFields<Given extends object>(
  input: unknown,
  fields: GivenFields,
  rules: SubscriberRules,
  now: number,
  checkTogether: (checked: Given) => void,
  required: readonly string[] = [],
): Given {
  if (!isObject(input)) throw new InvalidInputError('subscriber', 'must be an object');
  const unknown = Object.keys(input).filter((name) => !Object.hasOwn(fields, name));
  const checked: Record<string, unknown> = {};
  const check = (name: string, field: GivenField) => {
    if (input[name] !== undefined) checked[name] = field.check(input[name], name, rules, now);
    else if (required.includes(name))
      throw new InvalidInputError(name, 'must be given', { reason: 'required' });
  };
  InvalidInputError.throwAll([
    ...unknown.map((name) => () => refuseUnknown(name, Object.keys(fields))),
    ...Object.entries(fields).map(
      ([name, field]) =>
        () =>
          check(name, field),
    ),
    () => checkTogether(checked as Given),
  ]);
  return checked as Given;
}

function refuseUnknown(name: string, known: readonly string[]): never {
  throw new InvalidInputError(
    name.slice(0, MAX_METADATA_KEY_LENGTH),
    `is not a field that can be set; those are ${known.join(', ')}`,
    { reason: 'unknown-field' },
  );
}

/**
 * @throws {@link InvalidInputError} for `url` or `auth` when the host name in it resolves to an address that the recipient
 * policy refuses
 */
export async function checkAddresses(
  { url, auth }: Pick<SubscriberUpdate, 'url' | 'auth'>,
  rules: SubscriberRules,
): Promise<void> {
  const check = async (given: string | undefined, refused: (error: unknown) => unknown) => {
    if (given === undefined) return;
    await rules.checkAddresses?.(given).catch((error: unknown) => {
      throw refused(error);
    });
  };
  await check(url, (error) => refusedUrl(error));
  if (auth?.type === 'oauth2') await check(auth.tokenUrl, (error) => refusedTokenUrl(error));
}

/** @throws {@link InvalidInputError} for `limit` */
export function checkPageLimit(limit: unknown, most = MAX_PAGE_LIMIT): void {
  if (Number.isInteger(limit) && Number(limit) >= 1 && Number(limit) <= most) return;
  throw new InvalidInputError('limit', `must be a whole number from 1 to ${most}`);
}

/** @throws {@link InvalidInputError} for `search` */
export function checkSearch(value: unknown): string {
  return checkText(value, 'search', 1, MAX_SEARCH_LENGTH);
}
