import { useState } from 'preact/hooks';
import { InvalidInputError } from '../../lib/errors/index.js';
import { CHAT_TEMPLATES } from '../../lib/message/shapes/chat-templates.js';
import { projection } from '../../lib/message/shapes/projection.js';
import { fillTemplate, parseTemplate } from '../../lib/message/shapes/template.js';
import { now } from '../core/clock.js';
import type { Endpoint } from '../core/model.js';
import { settings } from '../core/settings.js';
import { owner } from '../core/source.js';
import { namesIn } from '../core/typing.js';
import { useData } from '../core/use-data.js';
import { t } from '../text/index.js';
import { refusalText } from '../text/problem-text.js';
import { Button, Field } from '../ui/basics.js';
import { Content } from '../ui/content.js';
import { Loaded } from '../ui/screen.js';
import { useCatalogue } from './event-picker.js';
import { matchesEvent, useFieldNames } from './field-names.js';

const KINDS = ['whole', 'fields', 'thin', 'template'] as const;
type Kind = (typeof KINDS)[number];

/** The body of requests as it is typed: the whole one, or one of three others. */
export interface TypedBody {
  readonly kind: Kind;
  /** Paths, with blanks between them. */
  readonly fields: string;
  readonly template: string;
}

type Body = Pick<Endpoint, 'fields' | 'thin' | 'template'>;
const WHOLE: Body = { fields: null, thin: false, template: null };

export function typedBody({ fields, thin, template }: Body = WHOLE): TypedBody {
  const typed = { fields: fields?.join(' ') ?? '', template: template ?? '' };
  if (thin) return { ...typed, kind: 'thin' };
  if (template !== null) return { ...typed, kind: 'template' };
  return { ...typed, kind: fields === null ? 'whole' : 'fields' };
}

export function bodyOf({ kind, fields, template }: TypedBody): Body {
  return {
    fields: kind === 'fields' ? namesIn(fields) : null,
    thin: kind === 'thin',
    template: kind === 'template' ? template : null,
  };
}

export function bodyFault({ kind, fields, template }: TypedBody): string | undefined {
  const isEmpty = { whole: false, thin: false, fields: fields === '', template: template === '' };
  return isEmpty[kind] ? t().refusals.required() : undefined;
}

/** The body for the settings of an endpoint; empty for the whole one. */
export function bodyText(endpoint: Endpoint): string {
  const { kind } = typedBody(endpoint);
  if (kind === 'whole') return '';
  return kind === 'fields' ? endpoint.fields!.join(', ') : t().bodies.kinds[kind];
}

/** Formats of the application have bodies of their own. */
export function isBodyOffered(endpoint: Endpoint | undefined): boolean {
  const isStandard = endpoint === undefined || endpoint.format === 'standard';
  return isStandard && KINDS.some((kind) => kind !== 'whole' && isOffered(kind));
}

function isOffered(kind: Kind): boolean {
  const { fields, thin, template } = settings.bodies;
  return { whole: true, fields, thin: thin !== null, template }[kind];
}

interface Options {
  readonly value: TypedBody;
  readonly error: string | undefined;
  readonly onChange: (value: TypedBody) => void;
  readonly chosen: Pick<Endpoint, 'events'>;
}

export function BodyField({ value, error, onChange, chosen: { events } }: Options) {
  const texts = t().bodies;
  const { kind, template } = value;
  const hasInput = kind === 'fields' || kind === 'template';
  return (
    <fieldset>
      <legend>{texts.title}</legend>
      <Field label={texts.kind} hint={texts.kindHints[kind]} error={hasInput ? undefined : error}>
        {(attributes) => (
          <select
            {...attributes}
            value={kind}
            onChange={({ currentTarget }) =>
              onChange({ ...value, kind: currentTarget.value as Kind })
            }
          >
            {KINDS.filter((one) => one === kind || isOffered(one)).map((one) => (
              <option key={one} value={one}>
                {texts.kinds[one]}
              </option>
            ))}
          </select>
        )}
      </Field>
      {kind === 'fields' && (
        <Paths
          value={value.fields}
          error={error}
          events={events}
          onChange={(fields) => onChange({ ...value, fields })}
        />
      )}
      {kind === 'template' && (
        <Template
          value={template}
          error={error}
          onChange={(typed) => onChange({ ...value, template: typed })}
        />
      )}
      {kind !== 'whole' && <Preview value={value} events={events} />}
    </fieldset>
  );
}

interface TextOptions {
  readonly value: string;
  readonly error: string | undefined;
  readonly onChange: (value: string) => void;
}

/** The paths as a text, since an event may have no schema, and a box for each that is known. */
function Paths({
  value,
  error,
  events,
  onChange,
}: TextOptions & { readonly events: readonly string[] }) {
  const texts = t().bodies;
  const known = useFieldNames(events);
  const paths = namesIn(value);
  const toggle = (path: string) =>
    onChange(
      (paths.includes(path) ? paths.filter((one) => one !== path) : [...paths, path]).join(' '),
    );
  return (
    <>
      {known.length > 0 && (
        <div class="tree" role="group" aria-label={texts.known}>
          {known.map((path) => (
            <label key={path}>
              <input type="checkbox" checked={paths.includes(path)} onChange={() => toggle(path)} />
              <span>{path}</span>
            </label>
          ))}
        </div>
      )}
      <Field label={texts.paths} hint={texts.pathsHint} error={error}>
        {(attributes) => (
          <input
            {...attributes}
            type="text"
            autoComplete="off"
            spellcheck={false}
            value={value}
            onInput={({ currentTarget }) => onChange(currentTarget.value)}
          />
        )}
      </Field>
    </>
  );
}

const CHATS = { slack: 'Slack', discord: 'Discord', teams: 'Microsoft Teams' } as const;

function Template({ value, error, onChange }: TextOptions) {
  const texts = t().bodies;
  // What the user has written must not be lost.
  const isReplaceable =
    value.trim() === '' || Object.values<string>(CHAT_TEMPLATES).includes(value);
  return (
    <>
      <Field label={texts.template} hint={texts.templateHint} error={error}>
        {(attributes) => (
          <textarea
            {...attributes}
            spellcheck={false}
            rows={8}
            value={value}
            onInput={({ currentTarget }) => onChange(currentTarget.value)}
          />
        )}
      </Field>
      {isReplaceable && (
        <div class="stack" role="group" aria-label={texts.ready}>
          <span class="hint">{texts.ready}</span>
          {(Object.keys(CHATS) as (keyof typeof CHATS)[]).map((chat) => (
            <Button key={chat} kind="quiet" onClick={() => onChange(CHAT_TEMPLATES[chat])}>
              {CHATS[chat]}
            </Button>
          ))}
        </div>
      )}
    </>
  );
}

interface PreviewOptions {
  readonly value: TypedBody;
  readonly events: readonly string[];
}

/** The body that the example of an event has. It is made as the application makes bodies. */
function Preview({ value, events }: PreviewOptions) {
  const texts = t().bodies;
  const [wanted, setWanted] = useState('');
  const names = (useCatalogue().value?.items ?? [])
    .map(({ name }) => name)
    .filter((name) => events.some((one) => matchesEvent(one, name)));
  const event = names.includes(wanted) ? wanted : names[0];
  if (event === undefined) return <p class="hint">{texts.noEvent}</p>;
  return (
    <>
      <Field label={texts.previewEvent}>
        {(attributes) => (
          <select
            {...attributes}
            value={event}
            onChange={({ currentTarget }) => setWanted(currentTarget.value)}
          >
            {names.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Sample key={event} event={event} value={value} />
    </>
  );
}

function Sample({ event, value }: { readonly event: string; readonly value: TypedBody }) {
  const [timestamp] = useState(() => new Date(now()).toISOString());
  const data = useData(`example ${event}`, (signal) => owner.eventType(event, signal));
  return (
    <Loaded data={data} as="box">
      {({ example }) => {
        if (example === null) return <p class="hint">{t().noExample}</p>;
        if (bodyFault(value) !== undefined) return <></>;
        const made = madeOf(value, { id: 'msg_0', type: event, timestamp, data: example });
        return made instanceof InvalidInputError ? (
          <p class="hint">{refusalText(refusalOf(made))}</p>
        ) : (
          <Content label={t().bodies.preview} text={made} />
        );
      }}
    </Loaded>
  );
}

interface Sampled {
  readonly id: string;
  readonly type: string;
  readonly timestamp: string;
  readonly data: unknown;
}

function madeOf({ kind, fields, template }: TypedBody, body: Sampled): string | InvalidInputError {
  const { id, data, ...head } = body;
  if (kind === 'thin') {
    return JSON.stringify({ ...head, id, ref: `${settings.bodies.thin ?? ''}/events/${id}` });
  }
  if (kind === 'fields') {
    return JSON.stringify({ ...head, data: projection(namesIn(fields))(data) });
  }
  try {
    return fillTemplate(parseTemplate(template), body);
  } catch (error) {
    if (error instanceof InvalidInputError) return error;
    throw error;
  }
}

function refusalOf({ field, reason, data }: InvalidInputError) {
  return { field, code: String(data['reason'] ?? 'invalid'), reason, data };
}
