import type { ComponentChildren, JSX } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ApiError } from '../core/client.js';
import { container } from '../core/settings.js';
import { dateTime, moment, t, timeZone } from '../text/index.js';
import { problemText } from '../text/problem-text.js';

type Kind = 'primary' | 'plain' | 'danger' | 'quiet';

interface ButtonOptions {
  readonly kind?: Kind;
  readonly isBusy?: boolean;
  /** True for a button that goes by itself. If it has the focus then, the heading of the screen gets it. */
  readonly isPassing?: boolean;
  readonly onClick?: () => void;
  readonly type?: 'button' | 'submit';
  readonly label?: string;
  readonly children: ComponentChildren;
}

export function Button({
  kind = 'plain',
  isBusy = false,
  isPassing = false,
  type = 'button',
  label,
  ...rest
}: ButtonOptions) {
  const button = useRef<HTMLButtonElement>(null);
  useLayoutEffect(
    () => () => {
      if (isPassing && button.current?.matches(':focus') === true) {
        container.querySelector('h1')?.focus();
      }
    },
    [],
  );
  return (
    <button
      ref={button}
      class={`button ${kind}`}
      type={type}
      aria-disabled={isBusy}
      aria-label={label}
      onClick={isBusy ? undefined : rest.onClick}
    >
      {rest.children}
    </button>
  );
}

type Tone = 'good' | 'bad' | 'wait' | 'off';
const TONES: Readonly<Record<string, Tone>> = {
  active: 'good',
  succeeded: 'good',
  failed: 'bad',
  failing: 'bad',
  pending: 'wait',
  unverified: 'wait',
  disabled: 'off',
  expired: 'off',
};

export type State =
  'active' | 'failing' | 'disabled' | 'unverified' | 'expired' | 'succeeded' | 'failed' | 'pending';

export function Badge({ state }: { readonly state: State }) {
  return <span class={`badge ${TONES[state]}`}>{t()[state]}</span>;
}

export function StatusCode({ status }: { readonly status: number | null }) {
  if (status === null) return <span class="faint">–</span>;
  return <span class={`code ${status >= 200 && status < 300 ? 'good' : 'bad'}`}>{status}</span>;
}

export function Time({ at }: { readonly at: string | null }) {
  if (at === null) return <span class="faint">–</span>;
  return (
    <time dateTime={at} title={dateTime(at)}>
      {moment(at)}
    </time>
  );
}

/** Names the time zone in which times are shown and entered. */
export function TimeZone() {
  return <p class="hint">{t().lists.timeZone(timeZone())}</p>;
}

/** A problem of a form or an action, read out when it appears. */
export function ErrorNote({ error }: { readonly error: ApiError | undefined }) {
  return (
    <div role="alert" class="error-place">
      {error !== undefined && <p class="note bad">{problemText(error)}</p>}
    </div>
  );
}

export function Note({
  tone = 'wait',
  children,
}: {
  readonly tone?: Tone;
  readonly children: ComponentChildren;
}) {
  return <div class={`note ${tone}`}>{children}</div>;
}

export function Empty({
  title,
  hint,
  children,
}: {
  readonly title: string;
  readonly hint?: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {hint !== undefined && <p class="faint">{hint}</p>}
      {children}
    </div>
  );
}

interface FieldOptions {
  readonly label: string;
  readonly hint?: string;
  readonly error?: string | undefined;
  readonly children: (attributes: {
    id: string;
    'aria-describedby'?: string;
    'aria-invalid'?: boolean;
  }) => JSX.Element;
}

export function Field({ label, hint, error, children }: FieldOptions) {
  const id = useId();
  const about = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ');
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({
        id,
        ...(about !== '' && { 'aria-describedby': about }),
        ...(error !== undefined && { 'aria-invalid': true }),
      })}
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      <p class="field-error" id={`${id}-error`} role="alert">
        {error}
      </p>
    </div>
  );
}

/** A button that copies a text, and says that it has. */
export function Copyable({ text, label }: { readonly text: string; readonly label?: string }) {
  const [isCopied, copy] = useCopy(text);
  return (
    <Button kind="quiet" onClick={copy}>
      <span aria-live="polite">{isCopied ? t().copied : (label ?? t().copy)}</span>
    </Button>
  );
}

/** Copies a text, and tells for two seconds that it is copied. */
export function useCopy(text: string): readonly [isCopied: boolean, copy: () => void] {
  const [isCopied, setCopied] = useState(false);
  const copy = () => {
    void copyText(text).then(() => {
      setCopied(true);
      setTimeout(() => setCopied(false), 2000);
    });
  };
  return [isCopied, copy];
}

/**
 * Copies a text. The clipboard is closed to pages without https, and to pages in frames without a permission, so there
 * is a second way.
 */
async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'off-screen';
    (container.querySelector('dialog[open]') ?? container).append(area);
    area.select();
    // eslint-disable-next-line typescript/no-deprecated -- nothing else works there
    document.execCommand('copy');
    area.remove();
  }
}
