import type { Dictionary } from '../text/en.js';

/** Why the API refuses a field. */
export interface Refusal {
  readonly field: string;
  readonly code: string;
  /** The reason in English. */
  readonly reason: string;
  readonly data?: Facts;
}

/** The values that a text names, such as a limit. */
export type Facts = Readonly<Record<string, unknown>>;

type Texts = Pick<Dictionary, 'refusals' | 'fields' | 'otherRefusal'>;

/** Parameters whose value is an id. */
const IDS = new Set(['delivery', 'message', 'subscriber']);

/** The reason why a field is refused, as a sentence. @param ago makes a text of a time */
export function refusalIn(texts: Texts, refusal: Refusal, ago: (time: string) => string): string {
  const { field, code, reason, data = {} } = refusal;
  const byCode: Readonly<Record<string, (named: Readonly<Record<string, string>>) => string>> =
    texts.refusals;
  const byField: Readonly<Record<string, string>> = texts.fields;
  const { member = field } = data;
  const taken = byField[IDS.has(field) ? 'id' : String(member)];
  if (code === 'invalid' && taken !== undefined) return taken;
  const named = Object.entries(data).map(([name, fact]): [string, string] => [
    name,
    name === 'next' ? ago(String(fact)) : Array.isArray(fact) ? fact.join(', ') : String(fact),
  ]);
  // The reason comes from code of the application, and has no translation.
  return byCode[code]?.(Object.fromEntries(named)) ?? taken ?? texts.otherRefusal(reason);
}
