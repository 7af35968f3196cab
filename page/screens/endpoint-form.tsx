import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiError } from '../core/client.js';
import type { Endpoint } from '../core/model.js';
import { refusalText } from '../text/problem-text.js';
import { Button, ErrorNote } from '../ui/basics.js';
import {
  changesOf,
  FORM_FIELD_LIST,
  FORM_FIELDS,
  rebased,
  type TypedEndpoint,
  typedOf,
} from './endpoint-fields.js';

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

type Faults = Partial<Record<keyof TypedEndpoint, string>>;

/** The fields of an endpoint. The reason of a refusal is shown beside its field, and typed values are kept. */
export function EndpointForm(options: FormOptions) {
  const { endpoint, submit, isBusy, error, onSubmit, notice, children } = options;
  const [typed, setTyped] = useState(() => typedOf(endpoint));
  const [wrong, setWrong] = useState<Faults>({});
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
    const form = event.currentTarget as HTMLFormElement;
    const faults = FORM_FIELD_LIST.flatMap(([name, { fault }]) => {
      const text = fault?.(typed[name], form);
      return text === undefined ? [] : [[name, text] as const];
    });
    setWrong(Object.fromEntries(faults));
    if (faults.length === 0) onSubmit(changesOf(typed, endpoint));
  };
  const refusalOf = (names: readonly string[]) =>
    names.map((name) => error?.refusalOf(name)).find((one) => one !== undefined);
  const isNamed = FORM_FIELD_LIST.some(([, { names }]) => refusalOf(names) !== undefined);
  const chosen = {
    events: typed.events,
    exclude: FORM_FIELDS.exclude.sent(typed.exclude).exclude ?? [],
  };
  return (
    <form class="form" noValidate onSubmit={send}>
      {FORM_FIELD_LIST.map(([name, { names, Input }]) => (
        <Input
          key={name}
          value={typed[name]}
          error={wrong[name] ?? refusalText(refusalOf(names))}
          onChange={(value) => setTyped((old) => ({ ...old, [name]: value }))}
          endpoint={endpoint}
          chosen={chosen}
        />
      ))}
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
