import type { Finding } from './findings.js';

/** Says how a body that was received differs from the one that was sent. */
export function bodyDifference(sent: Uint8Array, seen: string): Finding {
  // A field of a form has one kind of line breaks.
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(sent).replaceAll('\r\n', '\n');
  if (text === seen) return { tone: 'good', say: (texts) => texts.bodySame };
  const bad = (say: Finding['say']): Finding => ({ tone: 'bad', say });
  if (text.trim() === seen.replace(/^\ufeff/, '').trim()) return bad((texts) => texts.bodyEnds);
  const [one, other] = [canonical(text), canonical(seen)];
  if (one !== null && one === other) return bad((texts) => texts.bodyWrittenAnew);
  if (withoutBlanks(text) === withoutBlanks(seen)) return bad((texts) => texts.bodyBlanks);
  const latin = Array.from(sent, (one) => String.fromCharCode(one)).join('');
  if ([latin, new TextDecoder('windows-1252').decode(sent)].includes(seen)) {
    return bad((texts) => texts.bodyCharset);
  }
  if (text.startsWith(seen)) return bad((texts) => texts.bodyCut(seen.length, text.length));
  let at = 0;
  while (text[at] === seen[at]) at += 1;
  return bad((texts) => texts.bodyDiffers(at + 1));
}

/** The same text for JSON with the same data; null for what is not JSON, or too deep. */
function canonical(text: string): string | null {
  try {
    return JSON.stringify(JSON.parse(text), (_key, value: unknown) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(
            Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)),
          )
        : value,
    );
  } catch {
    return null;
  }
}

function withoutBlanks(text: string): string {
  return text.replaceAll(/\s/g, '');
}
