import type { Finding } from './findings.js';

/** Tells how a received body differs from the body that was sent. */
export function bodyDifference(sent: Uint8Array, seen: string): Finding {
  // A text field of a form changes all line breaks to one kind, so line breaks are compared as equal.
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

/** A text that is equal for JSON with equal data; null for a text that is not JSON, or is nested too deeply. */
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
