import type { InputHTMLAttributes } from 'preact';
import type { Endpoint } from '../core/model.js';
import type { Refusal } from '../core/refusals.js';
import { t } from '../text/index.js';
import { Field } from '../ui/basics.js';

const MEMBERS = {
  bearer: ['token'],
  basic: ['username', 'password'],
  oauth2: ['tokenUrl', 'clientId', 'clientSecret', 'scope'],
} as const;
type Type = keyof typeof MEMBERS;
type Member = (typeof MEMBERS)[Type][number];
const TYPES = Object.keys(MEMBERS) as Type[];

/** The members that the API shows. It shows none of the others, which stay as they are when they are left empty. */
const SHOWN: ReadonlySet<Member> = new Set(['tokenUrl', 'clientId', 'scope']);

const SECRET: ReadonlySet<Member> = new Set(['token', 'password', 'clientSecret']);
const HIDDEN: InputHTMLAttributes = { type: 'password' };

/** The credentials as they are typed. */
export interface TypedAuth {
  readonly type: Type | 'none';
  readonly members: Partial<Readonly<Record<Member, string>>>;
}

export function typedAuth(endpoint: Endpoint | undefined): TypedAuth {
  const auth = endpoint?.auth ?? null;
  if (auth === null) return { type: 'none', members: {} };
  const { type, ...members } = auth;
  return { type, members };
}

/** The members of a change: those that differ from the stored ones, as far as the page knows them. */
export function authOf({ type, members }: TypedAuth, before: Endpoint | undefined): object | null {
  if (type === 'none') return null;
  const stored = typedAuth(before);
  const known = stored.type === type ? stored.members : {};
  const changed = MEMBERS[type].flatMap((name) => {
    const { [name]: value = '' } = members;
    if (value === (known[name] ?? '')) return [];
    // Without a scope, the authorization server decides.
    return [[name, name === 'scope' && value.trim() === '' ? null : value] as const];
  });
  return { type, ...Object.fromEntries(changed) };
}

/** The credentials for the settings of an endpoint; empty for none. */
export function authText(endpoint: Endpoint): string {
  const { type, members } = typedAuth(endpoint);
  if (type === 'none') return '';
  const { clientId = [], tokenUrl = [] } = members;
  return [t().credentials.types[type], clientId, tokenUrl].flat().join(', ');
}

interface Options {
  readonly value: TypedAuth;
  readonly error: string | undefined;
  readonly refusal: Refusal | undefined;
  readonly onChange: (value: TypedAuth) => void;
  readonly endpoint: Endpoint | undefined;
  /** True: the URL of the endpoint has another origin. */
  readonly isMoved: boolean;
}

export function AuthField({ value, error, refusal, onChange, endpoint, isMoved }: Options) {
  const texts = t().credentials;
  const { type, members } = value;
  const { [type]: names = [] }: Partial<Record<TypedAuth['type'], readonly Member[]>> = MEMBERS;
  const stored = typedAuth(endpoint);
  const isStored = stored.type === type;
  const hasOtherTokenUrl = isStored && members.tokenUrl !== stored.members.tokenUrl;
  const refused = names.find((name) => name === refusal?.data?.['member']);
  const hintOf = (name: Member) => {
    if (hasOtherTokenUrl && name === 'clientSecret') return texts.secretAgain;
    if (isStored && name === 'tokenUrl') return texts.withoutQuery;
    if (!isStored || SHOWN.has(name)) return texts.hints[name];
    return isMoved ? texts.again : texts.isSet;
  };
  return (
    <fieldset>
      <legend>{texts.auth}</legend>
      <Field
        label={texts.type}
        hint={texts.typeHints[type]}
        error={refused === undefined ? error : undefined}
      >
        {(attributes) => (
          <select
            {...attributes}
            value={type}
            onChange={({ currentTarget }) =>
              onChange({ type: currentTarget.value as TypedAuth['type'], members })
            }
          >
            <option value="none">{t().none}</option>
            {TYPES.map((one) => (
              <option key={one} value={one}>
                {texts.types[one]}
              </option>
            ))}
          </select>
        )}
      </Field>
      {names.map((name) => (
        <Field
          key={name}
          label={texts.members[name]}
          hint={hintOf(name)}
          error={refused === name ? error : undefined}
        >
          {(attributes) => (
            <input
              {...attributes}
              {...(SECRET.has(name) ? HIDDEN : {})}
              // Browsers would else fill in the password of this page.
              autoComplete="new-password"
              spellcheck={false}
              value={members[name] ?? ''}
              onInput={({ currentTarget }) =>
                onChange({ type, members: { ...members, [name]: currentTarget.value } })
              }
            />
          )}
        </Field>
      ))}
    </fieldset>
  );
}
