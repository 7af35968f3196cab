import type { Endpoint } from '../core/model.js';
import { number, t } from '../text/index.js';
import { Field } from '../ui/basics.js';

/** A rate limit as it is typed. An empty `max` means no limit. */
export interface TypedRateLimit {
  readonly max: string;
  readonly per: number;
}

const MINUTE = 60_000;
const SPANS = [
  [1000, 'perSecond'],
  [MINUTE, 'perMinute'],
  [60 * MINUTE, 'perHour'],
] as const;

export function typedRateLimit(limit: Endpoint['rateLimit']): TypedRateLimit {
  return limit === null ? { max: '', per: MINUTE } : { max: String(limit.max), per: limit.per };
}

export function isRateLimit({ max }: TypedRateLimit): boolean {
  return /^\s*(?:[1-9]\d{0,5}|1000000)?\s*$/.test(max);
}

export function rateLimitOf({ max, per }: TypedRateLimit): Endpoint['rateLimit'] {
  return max.trim() === '' ? null : { max: Number(max), per };
}

/** The limit for the settings of an endpoint; empty for none. */
export function rateLimitText(limit: Endpoint['rateLimit']): string {
  return limit === null ? '' : t().rateLimitText(limit.max, number(limit.per / 1000));
}

interface Options {
  readonly value: TypedRateLimit;
  readonly error: string | undefined;
  readonly onChange: (value: TypedRateLimit) => void;
}

export function RateLimitField({ value: { max, per }, error, onChange }: Options) {
  const texts = t().form;
  return (
    <div class="pair">
      <Field label={texts.rateLimit} hint={texts.rateLimitHint} error={error}>
        {(attributes) => (
          <input
            {...attributes}
            type="text"
            inputMode="numeric"
            autoComplete="off"
            value={max}
            onInput={({ currentTarget }) => onChange({ max: currentTarget.value, per })}
          />
        )}
      </Field>
      <Field label={texts.per}>
        {(attributes) => (
          <select
            {...attributes}
            value={String(per)}
            onChange={({ currentTarget }) => onChange({ max, per: Number(currentTarget.value) })}
          >
            {SPANS.map(([span, name]) => (
              <option key={name} value={String(span)}>
                {texts[name]}
              </option>
            ))}
            {SPANS.every(([span]) => span !== per) && (
              <option value={String(per)}>{texts.perOther(number(per / 1000))}</option>
            )}
          </select>
        )}
      </Field>
    </div>
  );
}
