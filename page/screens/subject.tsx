import type { Delivery } from '../core/model.js';
import { linkTo } from '../core/router.js';
import { t } from '../text/index.js';

/** Characters of a subject in a heading or a link. */
const MOST_SHOWN = 60;
/** The longest subject that the API searches for, in characters. */
export const MOST_SEARCHED = 255;

type Named = Pick<Delivery, 'event' | 'subject'>;

/** The name of an event, and what its message is about. */
export function titleOf({ event, subject }: Named): string {
  return subject === null ? event : `${event} · ${shortOf(subject)}`;
}

/** What a message is about, on one line. */
export function Subject({ subject }: Pick<Delivery, 'subject'>) {
  if (subject === null) return null;
  return (
    <small class="line subject" title={subject}>
      <bdi>{subject}</bdi>
    </small>
  );
}

/** Leads to all deliveries of the same subject. */
export function SubjectLink({ of, base }: { readonly of: Named; readonly base: string }) {
  const { subject } = of;
  if (subject === null) return null;
  return (
    <a class="break" href={linkTo(`${base}/deliveries`, { search: subject })}>
      {t().lists.ofSubject(shortOf(subject))}
    </a>
  );
}

/** The beginning of a subject, between signs that keep its direction of writing from the text around it. */
function shortOf(subject: string): string {
  const signs = [...subject];
  const end = signs.length > MOST_SHOWN ? '…' : '';
  return `\u2068${signs.slice(0, MOST_SHOWN).join('')}${end}\u2069`;
}
