import { useMemo } from 'preact/hooks';
import { type JsonLine, jsonLines } from '../core/json-lines.js';
import { bytes, t } from '../text/index.js';
import { Button, Copyable } from './basics.js';

/** The greatest number of characters that are shown. Longer texts would block the browser. */
const MOST = 20_000;

interface ContentOptions {
  readonly text: string;
  readonly label: string;
  /** The name of a file to download. */
  readonly name?: string;
  /** The bytes of a body that is no text, for the download. */
  readonly data?: Uint8Array<ArrayBuffer>;
}

/** A body of a request or an answer. It may come from strangers, so it is shown as text and never as HTML. */
export function Content({ text, label, name, data }: ContentOptions) {
  const lines = useMemo(() => jsonLines(text, MOST), [text]);
  const isCut = lines === null ? text.length > MOST : lines.at(-1)!.depth > 0;
  const download = (file: string) => (
    <Button kind="quiet" onClick={() => save(data ?? text, file)}>
      {t().download}
    </Button>
  );
  return (
    <figure class="content">
      <figcaption>
        <span>{label}</span>
        <Copyable text={text} />
        {name !== undefined && download(name)}
      </figcaption>
      {/* Focus lets those without a mouse scroll. */}
      {lines === null ? (
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <pre tabIndex={0} dir="ltr" aria-label={label}>
          <bdi>{visible(text.slice(0, MOST))}</bdi>
        </pre>
      ) : (
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <div class="json" role="group" tabIndex={0} dir="ltr" aria-label={label}>
          <Lines lines={lines} from={0} to={lines.length} level={0} />
        </div>
      )}
      {isCut && (
        <p class="hint">
          {t().truncated(bytes(new Blob([text]).size))} {name === undefined && download('body.txt')}
        </p>
      )}
    </figure>
  );
}

/**
 * The number of levels that can be folded, because each needs a step of the key Tab. Deeper levels belong to the level
 * above.
 */
const FOLDED = 4;

interface LinesOptions {
  readonly lines: readonly JsonLine[];
  readonly from: number;
  readonly to: number;
  readonly level: number;
}

function Lines({ lines, from, to, level }: LinesOptions) {
  const shown = [];
  for (let at = from; at < to; at += 1) {
    const line = lines[at]!;
    const end = line.end ?? (/[{[]$/.test(line.text) ? lines.length : at);
    if (end > at && level < FOLDED) {
      shown.push(
        <details key={at} open>
          <summary>
            <Line {...line} />
          </summary>
          <Lines lines={lines} from={at + 1} to={Math.min(end, to)} level={level + 1} />
        </details>,
      );
      at = end - 1;
    } else shown.push(<Line key={at} {...line} />);
  }
  return <>{shown}</>;
}

function Line({ text, depth }: JsonLine) {
  const [, name = '', colon = '', value = ''] = PARTS.exec(text)!;
  return (
    <bdi>
      {'  '.repeat(depth)}
      {name !== '' && <span class="json-name">{visible(name)}</span>}
      {colon}
      <span class={kindOf(value)}>{visible(value)}</span>
    </bdi>
  );
}

/** The name, the colon and the value of a line of JSON. */
const PARTS = /^(?:("(?:[^"\\]|\\.)*")(: ))?(.*)$/s;

function kindOf(value: string): string {
  if (value.startsWith('"')) return 'json-text';
  return /^[\d-]/.test(value) ? 'json-number' : /^[tfn]/.test(value) ? 'json-word' : '';
}

/** Code that the page shows, with a button to copy it. */
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

/** Replaces characters that are invisible, or that change the direction of the following text, by their numbers. */
function visible(text: string): string {
  return text.replaceAll(
    /[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Lets the browser keep a text or bytes as a file. */
export function save(content: string | Uint8Array<ArrayBuffer>, name: string): void {
  const url = URL.createObjectURL(new Blob([content], { type: 'application/octet-stream' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
