import { useEffect, useState } from 'preact/hooks';
import type { Overview } from '../core/operator.js';
import { clock, milliseconds, t } from '../text/index.js';
import { Plot } from '../ui/plot.js';
import { Section } from '../ui/screen.js';

/** Looks that are kept: ten minutes of them. */
const MOST = 120;

interface Look {
  readonly at: number;
  readonly backlog: number;
  readonly lag: number;
}

/** Backlog and lag since the screen was opened. The application keeps no history of them: monitoring does. */
export function Load({ overview }: { readonly overview: Overview }) {
  const [looks, setLooks] = useState<readonly Look[]>([]);
  useEffect(() => {
    const { pending, pendingMessages, lag } = overview;
    const look = { at: Date.now(), backlog: pending + pendingMessages, lag };
    setLooks((old) => [...old, look].slice(-MOST));
  }, [overview]);
  if (looks.length < 2) return null;
  const nameOf = ({ at }: Look) => clock(at);
  return (
    <Section title={t().operators.live}>
      <div class="pair">
        <Plot
          as="lines"
          label={t().backlog}
          items={looks}
          nameOf={nameOf}
          series={[{ kind: 'p50', title: t().backlog, value: ({ backlog }) => backlog }]}
        />
        <Plot
          as="lines"
          label={t().lag}
          items={looks}
          nameOf={nameOf}
          series={[{ kind: 'p95', title: t().lag, value: ({ lag }) => lag }]}
          format={milliseconds}
        />
      </div>
    </Section>
  );
}
