import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiError } from '../core/client.js';
import type { Endpoint } from '../core/model.js';
import { t } from '../text/index.js';
import { refusalText } from '../text/problem-text.js';
import { Button, ErrorNote, Field } from '../ui/basics.js';
import { Failure } from '../ui/screen.js';
import { EventPicker, useCatalogue } from './event-picker.js';
import { FilterEditor } from './filter-editor.js';
import { isOrder, OrderField } from './order-field.js';
import { isRateLimit, RateLimitField } from './rate-limit-field.js';
import {
  changesOf,
  parseFilter,
  patternsOf,
  rebased,
  type TypedEndpoint,
  typedOf,
} from './typed-endpoint.js';

interface FormOptions {
  readonly endpoint?: Endpoint;
  readonly submit: string;
  readonly isBusy: boolean;
  readonly error: ApiError | undefined;
  /** Gets the fields that were changed. */
  readonly onSubmit: (fields: object) => void;
  /** Shown above the buttons. */
  readonly notice?: ComponentChildren;
  readonly children?: ComponentChildren;
}

type Faults = Partial<Record<'events' | 'filter' | 'rateLimit' | 'holdFor' | 'expiresAt', string>>;

/** The fields whose errors are shown beside them. */
const NAMED = [
  ...['url', 'events', 'exclude', 'description', 'filter', 'rateLimit', 'holdFor', 'expiresAt'],
];

/** The fields of an endpoint. What the API refuses is said beside its field, and nothing that was typed is lost. */
export function EndpointForm(options: FormOptions) {
  const { endpoint, submit, isBusy, error, onSubmit, notice, children } = options;
  const catalogue = useCatalogue();
  const [typed, setTyped] = useState(() => typedOf(endpoint));
  const [wrong, setWrong] = useState<Faults>({});
  // Another endpoint is the same one, changed meanwhile: what was typed stays, the rest is what it is now.
  const before = useRef(endpoint);
  useEffect(() => {
    if (endpoint === undefined || before.current === endpoint) return;
    setTyped(rebased(typed, before.current!, endpoint));
    before.current = endpoint;
  }, [endpoint]);

  const change = (changes: Partial<TypedEndpoint>) => setTyped((old) => ({ ...old, ...changes }));
  const { url, description, events, exclude, filter, rateLimit, order, end } = typed;
  const endInput = useRef<HTMLInputElement>(null);
  const send = (event: Event) => {
    event.preventDefault();
    const faults = {
      ...(events.length === 0 && { events: t().chooseOne }),
      ...(parseFilter(filter) === undefined && { filter: t().filterInvalid }),
      ...(!isRateLimit(rateLimit) && { rateLimit: t().form.rateLimitInvalid }),
      ...(!isOrder(order) && { holdFor: t().order.holdForInvalid }),
      // A time that is typed in part has no value, as an empty one.
      ...(endInput.current?.validity.badInput && { expiresAt: t().refusals['not-a-time']() }),
    };
    setWrong(faults);
    if (Object.keys(faults).length === 0) onSubmit(changesOf(typed, endpoint));
  };
  const named = NAMED.some((one) => error?.refusalOf(one));
  return (
    <form class="form" noValidate onSubmit={send}>
      <Field label={t().url} hint={t().urlHint} error={refusalText(error?.refusalOf('url'))}>
        {(attributes) => (
          <input
            {...attributes}
            type="url"
            required
            autoComplete="off"
            spellcheck={false}
            placeholder="https://example.com/webhooks"
            value={url}
            onInput={({ currentTarget }) => change({ url: currentTarget.value })}
          />
        )}
      </Field>
      <Field
        label={t().description}
        hint={t().descriptionHint}
        error={refusalText(error?.refusalOf('description'))}
      >
        {(attributes) => (
          <input
            {...attributes}
            type="text"
            value={description}
            onInput={({ currentTarget }) => change({ description: currentTarget.value })}
          />
        )}
      </Field>
      {catalogue.error !== undefined && catalogue.value === undefined ? (
        <Failure error={catalogue.error} reload={catalogue.reload} />
      ) : (
        <EventPicker
          events={events}
          items={catalogue.value?.items ?? []}
          error={wrong.events ?? refusalText(error?.refusalOf('events'))}
          onChange={(next) => change({ events: next })}
        />
      )}
      <Field
        label={t().form.exclude}
        hint={t().form.excludeHint}
        error={refusalText(error?.refusalOf('exclude'))}
      >
        {(attributes) => (
          <input
            {...attributes}
            type="text"
            autoComplete="off"
            spellcheck={false}
            value={exclude}
            onInput={({ currentTarget }) => change({ exclude: currentTarget.value })}
          />
        )}
      </Field>
      <details open={endpoint?.filter !== undefined && endpoint.filter !== null}>
        <summary>{t().filter}</summary>
        <FilterEditor
          // Its rows are those of one text.
          key={JSON.stringify(endpoint?.filter)}
          text={filter}
          events={events}
          exclude={patternsOf(exclude)}
          error={wrong.filter ?? refusalText(error?.refusalOf('filter'))}
          onChange={(next) => change({ filter: next })}
        />
      </details>
      <RateLimitField
        value={rateLimit}
        error={wrong.rateLimit ?? refusalText(error?.refusalOf('rateLimit'))}
        onChange={(next) => change({ rateLimit: next })}
      />
      <OrderField
        value={order}
        error={wrong.holdFor ?? refusalText(error?.refusalOf('holdFor'))}
        onChange={(next) => change({ order: next })}
      />
      <Field
        label={t().form.end}
        hint={t().form.endHint}
        error={wrong.expiresAt ?? refusalText(error?.refusalOf('expiresAt'))}
      >
        {(attributes) => (
          <input
            {...attributes}
            ref={endInput}
            type="datetime-local"
            value={end}
            onInput={({ currentTarget }) => change({ end: currentTarget.value })}
          />
        )}
      </Field>
      {notice}
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
