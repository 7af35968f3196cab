import { t } from '../text/index.js';
import { Content } from '../ui/content.js';

/** The kept headers of an answer, folded. */
export function AnswerHeaders({ headers }: { readonly headers: Readonly<Record<string, string>> }) {
  const text = Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');
  return (
    <details>
      <summary>{t().sent.answerHeaders}</summary>
      <Content label={t().sent.answerHeaders} text={text} />
    </details>
  );
}
