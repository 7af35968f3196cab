import type { Endpoint } from '../core/model.js';
import { number, t } from '../text/index.js';
import { Field } from '../ui/basics.js';

type Order = Pick<Endpoint, 'ordered' | 'onExhausted' | 'holdFor'>;
type Unit = 'seconds' | 'minutes' | 'hours' | 'days';

/** The order of deliveries as it is typed. An empty `time` means a hold without an end. */
export interface TypedOrder extends Omit<Order, 'holdFor'> {
  readonly time: string;
  readonly unit: Unit;
}

const UNITS: readonly (readonly [Unit, number])[] = [
  ['days', 86_400_000],
  ['hours', 3_600_000],
  ['minutes', 60_000],
  ['seconds', 1000],
];
const LONGEST = 14 * 86_400_000;
const NONE: Order = { ordered: false, onExhausted: 'skip', holdFor: null };

/** A time in the greatest unit that makes a whole number of it. */
function inUnits(milliseconds: number): readonly [Unit, number] {
  const [unit, length] = UNITS.find(([, one]) => milliseconds % one === 0) ?? UNITS.at(-1)!;
  return [unit, milliseconds / length];
}

export function typedOrder({ ordered, onExhausted, holdFor }: Order = NONE): TypedOrder {
  const [unit, time] = holdFor === null ? (['hours', ''] as const) : inUnits(holdFor);
  return { ordered, onExhausted, time: String(time), unit };
}

export function orderOf({ ordered, onExhausted, time, unit }: TypedOrder): Order {
  const length = UNITS.find(([name]) => name === unit)![1];
  const typed = time.trim().replace(',', '.');
  const isTimed = onExhausted === 'hold' && typed !== '';
  return { ordered, onExhausted, holdFor: isTimed ? Math.round(Number(typed) * length) : null };
}

export function isOrder(typed: TypedOrder): boolean {
  const { holdFor } = orderOf(typed);
  return holdFor === null || (holdFor >= 1 && holdFor <= LONGEST);
}

/** The order of deliveries as a text, for the settings of an endpoint. */
export function orderText({ onExhausted, holdFor }: Order): string {
  const texts = t().order;
  if (onExhausted === 'skip') return texts.skips;
  if (holdFor === null) return texts.holds;
  const [unit, time] = inUnits(holdFor);
  return texts.holdsFor(`${number(time)} ${texts[unit]}`);
}

interface Options {
  readonly value: TypedOrder;
  readonly error: string | undefined;
  readonly onChange: (value: TypedOrder) => void;
}

export function OrderField({ value, error, onChange }: Options) {
  const texts = t().order;
  const { ordered, onExhausted, time, unit } = value;
  return (
    <fieldset>
      <legend>{texts.title}</legend>
      <label class="choice">
        <input
          type="checkbox"
          checked={ordered}
          onChange={({ currentTarget }) => onChange({ ...value, ordered: currentTarget.checked })}
        />
        <span>
          {texts.ordered}
          <small>{texts.orderedHint}</small>
        </span>
      </label>
      {ordered && (
        <Field
          label={texts.onExhausted}
          hint={onExhausted === 'hold' ? texts.holdHint : texts.skipHint}
        >
          {(attributes) => (
            <select
              {...attributes}
              value={onExhausted}
              onChange={({ currentTarget }) =>
                onChange({ ...value, onExhausted: currentTarget.value as Order['onExhausted'] })
              }
            >
              <option value="skip">{texts.skip}</option>
              <option value="hold">{texts.hold}</option>
            </select>
          )}
        </Field>
      )}
      {ordered && onExhausted === 'hold' && (
        <div class="pair">
          <Field label={texts.holdFor} hint={texts.holdForHint} error={error}>
            {(attributes) => (
              <input
                {...attributes}
                type="text"
                inputMode="decimal"
                autoComplete="off"
                value={time}
                onInput={({ currentTarget }) => onChange({ ...value, time: currentTarget.value })}
              />
            )}
          </Field>
          <Field label={texts.unit}>
            {(attributes) => (
              <select
                {...attributes}
                value={unit}
                onChange={({ currentTarget }) =>
                  onChange({ ...value, unit: currentTarget.value as Unit })
                }
              >
                {UNITS.map(([name]) => (
                  <option key={name} value={name}>
                    {texts[name]}
                  </option>
                ))}
              </select>
            )}
          </Field>
        </div>
      )}
      {error !== undefined && !(ordered && onExhausted === 'hold') && (
        <p class="field-error" role="alert">
          {error}
        </p>
      )}
    </fieldset>
  );
}
