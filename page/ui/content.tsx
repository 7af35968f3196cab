import { useMemo } from 'preact/hooks';
import { bytes, t } from '../text/index.js';
import { Button, Copyable } from './basics.js';

/** Characters that are shown at most: a browser stands still over more. */
const MOST = 20_000;

/** A body of a request or an answer. It is data of others: shown as text alone, never as HTML. */
export function Content({
  text,
  label,
  name,
}: {
  readonly text: string;
  readonly label: string;
  readonly name?: string;
}) {
  const shown = useMemo(() => indented(text), [text]);
  const isCut = shown.length > MOST;
  return (
    <figure class="content">
      <figcaption>
        <span>{label}</span>
        <Copyable text={text} />
        {name !== undefined && (
          <Button kind="quiet" onClick={() => save(text, name)}>
            {t().download}
          </Button>
        )}
      </figcaption>
      {/* Focus lets those without a mouse scroll. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre tabIndex={0} dir="ltr" aria-label={label}>
        <bdi>{visible(isCut ? shown.slice(0, MOST) : shown)}</bdi>
      </pre>
      {isCut && (
        <p class="hint">
          {t().truncated(bytes(new Blob([text]).size))}{' '}
          <Button kind="quiet" onClick={() => save(text, name ?? 'body.txt')}>
            {t().download}
          </Button>
        </p>
      )}
    </figure>
  );
}

/** Code of ours, with a button to copy it. */
export function Code({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    <figure class="content">
      <figcaption>
        <span>{label}</span>
        <Copyable text={text} />
      </figcaption>
      <pre tabIndex={0} aria-label={label}>
        {text}
      </pre>
    </figure>
  );
}

/** JSON with line breaks; anything else, and JSON that is very long, as it is. */
function indented(text: string): string {
  if (text.length > 500_000 || !/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** Marks that would turn the direction of what follows are shown by their number. */
function visible(text: string): string {
  return text.replaceAll(
    /[\u202a-\u202e\u2066-\u2069\u200e\u200f\u0000-\u0008\u000b\u000c\u000e-\u001f]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function save(text: string, name: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
