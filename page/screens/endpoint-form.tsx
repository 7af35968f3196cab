import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { ApiError } from '../core/client.js';
import type { Endpoint } from '../core/model.js';
import { t } from '../text/index.js';
import { Button, ErrorNote, Field } from '../ui/basics.js';
import { Failure } from '../ui/screen.js';
import { EventPicker, useCatalogue } from './event-picker.js';
import { FilterEditor } from './filter-editor.js';
import { changedOrder, isOrder, OrderField, typedOrder } from './order-field.js';
import {
  changedRateLimit,
  isRateLimit,
  RateLimitField,
  typedRateLimit,
} from './rate-limit-field.js';

interface FormOptions {
  readonly endpoint?: Endpoint;
  readonly submit: string;
  readonly isBusy: boolean;
  readonly error: ApiError | undefined;
  readonly onSubmit: (fields: object) => void;
  readonly children?: ComponentChildren;
}

/** Patterns as they are typed, one after another. */
function patternsOf(text: string): readonly string[] {
  return [...new Set(text.split(/[\s,]+/).filter((one) => one !== ''))];
}

type Faults = Partial<Record<'events' | 'filter' | 'rateLimit' | 'holdFor', string>>;

/** The fields whose errors are shown beside them. */
const NAMED = ['url', 'events', 'exclude', 'description', 'filter', 'rateLimit', 'holdFor'];

/** The fields of an endpoint. What the API refuses is said beside its field, and nothing that was typed is lost. */
export function EndpointForm({ endpoint, submit, isBusy, error, onSubmit, children }: FormOptions) {
  const catalogue = useCatalogue();
  const [url, setUrl] = useState(endpoint?.url ?? '');
  const [description, setDescription] = useState(endpoint?.description ?? '');
  const [events, setEvents] = useState<readonly string[]>(endpoint?.events ?? []);
  const [exclude, setExclude] = useState(() => endpoint?.exclude.join(' ') ?? '');
  const [filter, setFilter] = useState(() => textOfFilter(endpoint?.filter ?? null));
  const [rateLimit, setRateLimit] = useState(() => typedRateLimit(endpoint?.rateLimit ?? null));
  const [order, setOrder] = useState(() => typedOrder(endpoint));
  const [wrong, setWrong] = useState<Faults>({});

  const send = (event: Event) => {
    event.preventDefault();
    const parsed = parseFilter(filter);
    const faults = {
      ...(events.length === 0 && { events: t().chooseOne }),
      ...(parsed === undefined && { filter: t().filterInvalid }),
      ...(!isRateLimit(rateLimit) && { rateLimit: t().form.rateLimitInvalid }),
      ...(!isOrder(order) && { holdFor: t().order.holdForInvalid }),
    };
    setWrong(faults);
    if (Object.keys(faults).length > 0) return;
    const excluded = patternsOf(exclude);
    const isExcluded = excluded.join() !== (endpoint?.exclude ?? []).join();
    const limit = changedRateLimit(rateLimit, endpoint?.rateLimit ?? null);
    onSubmit({
      ...{ url: url.trim(), events, description: description.trim() || null, filter: parsed },
      ...(isExcluded && { exclude: excluded }),
      ...(limit !== undefined && { rateLimit: limit }),
      ...changedOrder(order, endpoint),
    });
  };
  const named = NAMED.some((one) => error?.reasonOf(one));
  return (
    <form class="form" noValidate onSubmit={send}>
      <Field label={t().url} hint={t().urlHint} error={sentence(error?.reasonOf('url'))}>
        {(attributes) => (
          <input
            {...attributes}
            type="url"
            required
            autoComplete="off"
            spellcheck={false}
            placeholder="https://example.com/webhooks"
            value={url}
            onInput={({ currentTarget }) => setUrl(currentTarget.value)}
          />
        )}
      </Field>
      <Field
        label={t().description}
        hint={t().descriptionHint}
        error={sentence(error?.reasonOf('description'))}
      >
        {(attributes) => (
          <input
            {...attributes}
            type="text"
            value={description}
            onInput={({ currentTarget }) => setDescription(currentTarget.value)}
          />
        )}
      </Field>
      {catalogue.error !== undefined && catalogue.value === undefined ? (
        <Failure error={catalogue.error} reload={catalogue.reload} />
      ) : (
        <EventPicker
          events={events}
          items={catalogue.value?.items ?? []}
          error={wrong.events ?? sentence(error?.reasonOf('events'))}
          onChange={setEvents}
        />
      )}
      <Field
        label={t().form.exclude}
        hint={t().form.excludeHint}
        error={sentence(error?.reasonOf('exclude'))}
      >
        {(attributes) => (
          <input
            {...attributes}
            type="text"
            autoComplete="off"
            spellcheck={false}
            value={exclude}
            onInput={({ currentTarget }) => setExclude(currentTarget.value)}
          />
        )}
      </Field>
      <details open={endpoint?.filter !== undefined && endpoint.filter !== null}>
        <summary>{t().filter}</summary>
        <FilterEditor
          text={filter}
          events={events}
          exclude={patternsOf(exclude)}
          error={wrong.filter ?? sentence(error?.reasonOf('filter'))}
          onChange={setFilter}
        />
      </details>
      <RateLimitField
        value={rateLimit}
        error={wrong.rateLimit ?? sentence(error?.reasonOf('rateLimit'))}
        onChange={setRateLimit}
      />
      <OrderField
        value={order}
        error={wrong.holdFor ?? sentence(error?.reasonOf('holdFor'))}
        onChange={setOrder}
      />
      <ErrorNote error={named ? undefined : error} />
      <div class="form-end">
        <Button kind="primary" type="submit" isBusy={isBusy}>
          {submit}
        </Button>
        {children}
      </div>
    </form>
  );
}

function textOfFilter(filter: unknown): string {
  return filter === null ? '' : JSON.stringify(filter, null, 2);
}

/** Null for no filter, undefined for a text that is not JSON. */
function parseFilter(text: string): unknown {
  if (text.trim() === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The API's reasons follow the name of a field: "must be …". */
function sentence(reason: string | undefined): string | undefined {
  return reason && `${reason[0]!.toUpperCase()}${reason.slice(1)}.`;
}
