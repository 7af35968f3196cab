import type { FailingEndpoint } from '../core/operator.js';
import { linkTo } from '../core/router.js';
import { number, t } from '../text/index.js';
import { Badge, Time } from '../ui/basics.js';
import { Section } from '../ui/screen.js';
import { Table } from '../ui/table.js';

/** Endpoints that have failed for the longest time. */
export function FailingEndpoints({ rows }: { readonly rows: readonly FailingEndpoint[] }) {
  const texts = t().operators;
  return (
    <Section title={texts.failingEndpoints}>
      {rows.length === 0 ? (
        <p class="faint">{texts.noFailingEndpoints}</p>
      ) : (
        <Table
          caption={texts.failingEndpoints}
          rows={rows}
          keyOf={({ subscriberId }) => subscriberId}
          columns={[
            {
              title: t().endpoint,
              kind: 'wide',
              cell: ({ subscriberId, url }) =>
                url === null ? (
                  <>
                    <span class="mono break">{subscriberId}</span>
                    <small>{texts.notStored}</small>
                  </>
                ) : (
                  <a href={linkTo(`/operator/endpoints/${subscriberId}`)}>
                    <bdi>{url}</bdi>
                  </a>
                ),
            },
            { title: t().owner, cell: ({ owner }) => <bdi class="break">{owner ?? '–'}</bdi> },
            {
              title: t().state,
              cell: ({ state }) => (state === null ? '–' : <Badge state={state} />),
            },
            {
              title: texts.failingSince,
              cell: ({ failingSince }) => <Time at={new Date(failingSince).toISOString()} />,
            },
            {
              title: texts.messages,
              kind: 'number',
              cell: ({ failingMessages }) => number(failingMessages),
            },
          ]}
        />
      )}
    </Section>
  );
}
