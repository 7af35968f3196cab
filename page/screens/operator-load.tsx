import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Overview } from '../core/operator.js';
import { clock, milliseconds, t } from '../text/index.js';
import { Plot } from '../ui/plot.js';
import { Section } from '../ui/screen.js';

/** The number of readings that are kept: ten minutes. */
const MOST = 120;

interface Look {
  readonly at: number;
  readonly backlog: number;
  readonly lag: number;
}

/** The readings stay when the user looks at another screen. */
const looks = signal<readonly Look[]>([]);

/** Backlog and lag since the page was opened. The application keeps no history of them: monitoring does. */
export function Load({ overview }: { readonly overview: Overview }) {
  useEffect(() => {
    const { pending, pendingMessages, lag } = overview;
    const look = { at: Date.now(), backlog: pending + pendingMessages, lag };
    looks.value = [...looks.peek(), look].slice(-MOST);
  }, [overview]);
  if (looks.value.length < 2) return null;
  const nameOf = ({ at }: Look) => clock(at);
  return (
    <Section title={t().operators.live}>
      <Plot
        as="lines"
        label={t().backlog}
        items={looks.value}
        nameOf={nameOf}
        series={[{ kind: 'p50', title: t().backlog, value: ({ backlog }) => backlog }]}
      />
      <Plot
        as="lines"
        label={t().lag}
        items={looks.value}
        nameOf={nameOf}
        series={[{ kind: 'p95', title: t().lag, value: ({ lag }) => lag }]}
        format={milliseconds}
      />
    </Section>
  );
}
