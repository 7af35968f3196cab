import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { originOf } from '../../lib/subscriber/model/origin.js';
import type { ApiError } from '../core/client.js';
import type { Endpoint } from '../core/model.js';
import { t } from '../text/index.js';
import { refusalText } from '../text/problem-text.js';
import { Button, ErrorNote } from '../ui/basics.js';
import {
  changesOf,
  type EndpointChanges,
  FORM_FIELDS,
  rebased,
  shownFields,
  type TypedEndpoint,
  typedOf,
} from './endpoint-fields.js';

interface FormOptions {
  readonly endpoint?: Endpoint;
  readonly submit: string;
  readonly isBusy: boolean;
  readonly error: ApiError | undefined;
  /** Gets the fields that were changed. */
  readonly onSubmit: (fields: EndpointChanges) => void;
  /** Shown above the buttons. */
  readonly notice?: ComponentChildren;
  readonly children?: ComponentChildren;
}

type Faults = Partial<Record<keyof TypedEndpoint, string>>;

/**
 * The fields of an endpoint: those that most have, and below "Advanced" the others. The reason of a refusal is shown beside its
 * field, which gets the focus, and typed values are kept.
 */
export function EndpointForm(options: FormOptions) {
  const { endpoint, submit, isBusy, error, onSubmit, notice, children } = options;
  const [typed, setTyped] = useState(() => typedOf(endpoint));
  const [wrong, setWrong] = useState<Faults>({});
  const fields = shownFields(endpoint);
  const advanced = fields.filter(([, { isAdvanced }]) => isAdvanced);
  const [isOpen, setOpen] = useState(
    () => endpoint !== undefined && advanced.some(([, { text }]) => text(endpoint) !== ''),
  );
  // Its fields ask for the schemas of events, so they are made when the user opens it.
  const wasOpen = useRef(isOpen);
  wasOpen.current ||= isOpen;
  // When `endpoint` changes, another user has changed it meanwhile. Typed values stay, and all other fields get their
  // present values.
  const before = useRef(endpoint);
  useEffect(() => {
    if (endpoint === undefined || before.current === endpoint) return;
    setTyped(rebased(typed, before.current!, endpoint));
    before.current = endpoint;
  }, [endpoint]);

  const send = (event: SubmitEvent) => {
    event.preventDefault();
    const faults = fields.flatMap(([name, { fault }]) => {
      const text = fault?.(typed[name], form.current!);
      return text === undefined ? [] : [[name, text] as const];
    });
    setWrong(Object.fromEntries(faults));
    if (faults.length === 0) onSubmit(changesOf(typed, endpoint));
  };
  const refusalOf = (names: readonly string[]) =>
    names.map((name) => error?.refusalOf(name)).find((one) => one !== undefined);
  const isNamed = fields.some(([, { names }]) => refusalOf(names) !== undefined);

  const form = useRef<HTMLFormElement>(null);
  const [faultsShown, setFaultsShown] = useState(0);
  useEffect(() => {
    const isWrong = ([name, { names }]: (typeof fields)[number]) =>
      wrong[name] !== undefined || refusalOf(names) !== undefined;
    if (!fields.some(isWrong)) return;
    if (advanced.some(isWrong)) setOpen(true);
    setFaultsShown((count) => count + 1);
  }, [wrong, error]);
  useEffect(() => {
    if (faultsShown > 0) focusFirstFault(form.current!);
  }, [faultsShown]);

  const chosen = {
    events: typed.events,
    exclude: FORM_FIELDS.exclude.sent(typed.exclude, endpoint).exclude ?? [],
  };
  const isMoved = endpoint !== undefined && originOf(typed.url) !== originOf(endpoint.url);
  const inputOf = ([name, { names, Input }]: (typeof fields)[number]) => (
    <Input
      key={name}
      value={typed[name]}
      error={wrong[name] ?? refusalText(refusalOf(names))}
      refusal={wrong[name] === undefined ? refusalOf(names) : undefined}
      onChange={(value) => setTyped((old) => ({ ...old, [name]: value }))}
      endpoint={endpoint}
      chosen={chosen}
      isMoved={isMoved}
    />
  );
  return (
    <form class="form" noValidate ref={form} onSubmit={send}>
      {fields.filter(([, { isAdvanced }]) => !isAdvanced).map(inputOf)}
      <details
        class="advanced"
        open={isOpen}
        onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
      >
        <summary>
          {t().form.advanced} <small class="hint">{t().form.advancedHint}</small>
        </summary>
        {wasOpen.current && advanced.map(inputOf)}
      </details>
      {notice}
      <ErrorNote error={isNamed ? undefined : error} />
      <div class="form-end">
        <Button kind="primary" type="submit" isBusy={isBusy}>
          {submit}
        </Button>
        {children}
      </div>
    </form>
  );
}

/** Leads to the input of the first error: to the one that is marked, or else to the first of its field. */
function focusFirstFault(form: HTMLFormElement): void {
  const error = form.querySelector('.field-error:not(:empty)');
  const place = error?.closest('.field, fieldset');
  const marked = place?.querySelector<HTMLElement>('[aria-invalid=true]');
  (marked ?? place?.querySelector<HTMLElement>('input, select, textarea, button'))?.focus();
}
