import { isoTime, localTime } from '../core/local-time.js';
import type { Endpoint } from '../core/model.js';
import { dateTime, number, t } from '../text/index.js';
import { changedOrder, orderText, type TypedOrder, typedOrder } from './order-field.js';
import { changedRateLimit, type TypedRateLimit, typedRateLimit } from './rate-limit-field.js';

/** The fields of an endpoint as they are typed. */
export interface TypedEndpoint {
  readonly url: string;
  readonly description: string;
  readonly events: readonly string[];
  /** Patterns with blanks or commas between them. */
  readonly exclude: string;
  /** JSON; empty for none. */
  readonly filter: string;
  readonly rateLimit: TypedRateLimit;
  readonly order: TypedOrder;
  /** The local time of its end; empty for none. */
  readonly end: string;
}

type FieldName = keyof TypedEndpoint;

/** A field that was changed by somebody else. */
export interface ForeignChange {
  readonly field: FieldName;
  readonly label: string;
  /** The value that it has now. */
  readonly text: string;
}

export function typedOf(endpoint?: Endpoint): TypedEndpoint {
  return {
    url: endpoint?.url ?? '',
    description: endpoint?.description ?? '',
    events: endpoint?.events ?? [],
    exclude: endpoint?.exclude.join(' ') ?? '',
    filter: textOfFilter(endpoint?.filter ?? null),
    rateLimit: typedRateLimit(endpoint?.rateLimit ?? null),
    order: typedOrder(endpoint),
    end: localTime(endpoint?.expiresAt ?? ''),
  };
}

/** The fields that the API is to be given: those that were changed, and for a new endpoint those that it needs. */
export function changesOf(typed: TypedEndpoint, before?: Endpoint): object {
  const url = typed.url.trim();
  const description = typed.description.trim() || null;
  const exclude = patternsOf(typed.exclude);
  const filter = parseFilter(typed.filter);
  const rateLimit = changedRateLimit(typed.rateLimit, before?.rateLimit ?? null);
  return {
    ...(url !== before?.url && { url }),
    ...(isOther(typed.events, before?.events) && { events: typed.events }),
    ...(description !== (before?.description ?? null) && { description }),
    ...(isOther(exclude, before?.exclude ?? []) && { exclude }),
    ...(isOther(filter, before?.filter ?? null) && { filter }),
    ...(rateLimit !== undefined && { rateLimit }),
    ...changedOrder(typed.order, before),
    // Compared as it is typed, without the seconds that the control does not show.
    ...(typed.end !== typedOf(before).end && { expiresAt: isoTime(typed.end) || null }),
  };
}

/** What was typed, and the present value of every field that was not. */
export function rebased(typed: TypedEndpoint, before: Endpoint, now: Endpoint): TypedEndpoint {
  const [old, fresh] = [typedOf(before), typedOf(now)];
  const names = Object.keys(fresh) as FieldName[];
  const kept = names.filter((name) => isOther(typed[name], old[name]));
  return { ...fresh, ...Object.fromEntries(kept.map((name) => [name, typed[name]])) };
}

/** The fields that somebody else has changed. */
export function foreignChanges(before: Endpoint, now: Endpoint): readonly ForeignChange[] {
  const [old, fresh] = [typedOf(before), typedOf(now)];
  const texts = t();
  const shown: Readonly<Record<FieldName, readonly [label: string, text: string]>> = {
    url: [texts.url, now.url],
    description: [texts.description, now.description ?? ''],
    events: [texts.events, now.events.join(', ')],
    exclude: [texts.form.exclude, now.exclude.join(', ')],
    filter: [texts.filter, now.filter === null ? '' : JSON.stringify(now.filter)],
    rateLimit: [texts.rateLimit, rateLimitText(now.rateLimit)],
    order: [texts.order.title, now.ordered ? orderText(now) : ''],
    end: [texts.form.end, now.expiresAt === null ? '' : dateTime(now.expiresAt)],
  };
  return (Object.keys(shown) as FieldName[])
    .filter((field) => isOther(old[field], fresh[field]))
    .map((field) => {
      const [label, text] = shown[field];
      return { field, label, text: text === '' ? texts.none : text };
    });
}

export function rateLimitText(limit: Endpoint['rateLimit']): string {
  return limit === null ? '' : t().rateLimitText(limit.max, number(limit.per / 1000));
}

/** Patterns as they are typed, one after another. */
export function patternsOf(text: string): readonly string[] {
  return [...new Set(text.split(/[\s,]+/).filter((one) => one !== ''))];
}

/** Null for no filter, undefined for a text that is not JSON. */
export function parseFilter(text: string): unknown {
  if (text.trim() === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function textOfFilter(filter: unknown): string {
  return filter === null ? '' : JSON.stringify(filter, null, 2);
}

function isOther(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) !== JSON.stringify(other);
}
