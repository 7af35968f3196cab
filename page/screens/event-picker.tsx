import { apiUrl } from '../core/settings.js';
import { call } from '../core/client.js';
import type { Catalogue } from '../core/model.js';
import { type Data, useData } from '../core/use-data.js';
import { t } from '../text/index.js';
import { Breakable } from '../ui/breakable.js';
import { EventExample } from './event-example.js';

export function useCatalogue(): Data<Catalogue> {
  return useData('catalogue', (signal) => call<Catalogue>(apiUrl, 'event-types', { signal }));
}

type EventType = Catalogue['items'][number];

/** Events by the first part of their names, in the order of the alphabet. */
export function grouped(
  items: readonly EventType[],
): readonly (readonly [string, readonly EventType[]])[] {
  const groups = new Map<string, EventType[]>();
  for (const item of items) {
    const [name = ''] = item.name.split('.', 1);
    groups.set(name, [...(groups.get(name) ?? []), item]);
  }
  return [...groups].sort(([one], [other]) => one.localeCompare(other));
}

interface PickerOptions {
  readonly events: readonly string[];
  readonly items: readonly EventType[];
  readonly error: string | undefined;
  readonly onChange: (events: readonly string[]) => void;
}

/** Chooses patterns of events from the catalogue: everything, a group, or single ones. */
export function EventPicker({ events, items, error, onChange }: PickerOptions) {
  const has = (pattern: string) => events.includes(pattern);
  const toggle = (pattern: string, covered: readonly string[] = []) =>
    onChange(
      has(pattern)
        ? events.filter((one) => one !== pattern)
        : [...events.filter((one) => !covered.includes(one)), pattern],
    );
  const isAll = has('*');
  // A pattern that was set with the API and is not in the tree must not be lost.
  const known = new Set(
    items.flatMap(({ name }) => [patternFor(name), `${name.split('.', 1)[0]}.*`]),
  );
  const others = events.filter((one) => one !== '*' && !known.has(one));
  return (
    <fieldset aria-describedby="events-error">
      <legend>{t().chooseEvents}</legend>
      <div class="tree">
        <Choice
          name={t().allEvents}
          isGroup
          checked={isAll}
          onChange={() => onChange(isAll ? [] : ['*'])}
        />
        {others.map((one) => (
          <Choice key={one} name={one} checked onChange={() => toggle(one)} />
        ))}
        {grouped(items).map(([group, list]) => {
          const whole = `${group}.*`;
          const inGroup = list.map(({ name }) => patternFor(name));
          return (
            <div key={group}>
              <Choice
                name={t().group(group)}
                isGroup
                checked={isAll || has(whole)}
                disabled={isAll}
                onChange={() => toggle(whole, inGroup)}
              />
              {list.map(({ name, description }) => (
                <div key={name}>
                  <Choice
                    name={name}
                    description={description}
                    isLeaf
                    checked={isAll || has(whole) || has(patternFor(name))}
                    disabled={isAll || has(whole)}
                    onChange={() => toggle(patternFor(name))}
                  />
                  <EventExample name={name} />
                </div>
              ))}
            </div>
          );
        })}
      </div>
      <p class="hint chosen" aria-live="polite">
        {t().chosen(isAll ? items.length : countOf(events, items))}
      </p>
      <p class="field-error" id="events-error" role="alert">
        {error}
      </p>
    </fieldset>
  );
}

/** The pattern for an event whose name has fields in braces. It stands for all values of the fields. */
export function patternFor(name: string): string {
  return name.replaceAll(/\{[^}]*\}/g, '*');
}

function countOf(events: readonly string[], items: readonly EventType[]): number {
  return items.filter(({ name }) =>
    events.some((one) => one === patternFor(name) || one === `${name.split('.', 1)[0]}.*`),
  ).length;
}

interface ChoiceOptions {
  readonly name: string;
  readonly description?: string | null;
  readonly checked: boolean;
  readonly disabled?: boolean;
  readonly isGroup?: boolean;
  readonly isLeaf?: boolean;
  readonly onChange: () => void;
}

function Choice({
  name,
  description = null,
  checked,
  disabled = false,
  isGroup,
  isLeaf,
  onChange,
}: ChoiceOptions) {
  return (
    <label class={isGroup ? 'group' : isLeaf ? 'leaf' : ''}>
      <input type="checkbox" checked={checked} disabled={disabled} onChange={onChange} />
      <span>
        <Breakable text={name} />
        {description !== null && <small>{description}</small>}
      </span>
    </label>
  );
}
