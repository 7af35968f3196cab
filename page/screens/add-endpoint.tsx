import { useState } from 'preact/hooks';
import type { Created } from '../core/model.js';
import { go, linkTo } from '../core/router.js';
import { owner } from '../core/source.js';
import { useAction } from '../core/use-data.js';
import { t } from '../text/index.js';
import { Copyable, Note } from '../ui/basics.js';
import { Screen, Section } from '../ui/screen.js';
import { EndpointForm } from './endpoint-form.js';
import { TestPanel } from './test-panel.js';
import { VerificationCode } from './verification-code.js';

export function AddEndpoint() {
  const [created, setCreated] = useState<Created>();
  const action = useAction(async (fields: object) => setCreated(await owner.create(fields)));
  if (created !== undefined) return <CreatedEndpoint endpoint={created} />;
  return (
    <Screen
      title={t().addEndpoint}
      lead={t().addHint}
      crumbs={[[t().endpoints, linkTo('/endpoints')]]}
    >
      <EndpointForm
        submit={t().create}
        isBusy={action.isBusy}
        error={action.error}
        onSubmit={action.run}
      >
        <a class="button" href={linkTo('/endpoints')}>
          {t().cancel}
        </a>
      </EndpointForm>
    </Screen>
  );
}

/** The only time that the secret is shown. */
function CreatedEndpoint({ endpoint }: { readonly endpoint: Created }) {
  return (
    <Screen
      key="created"
      title={t().createdTitle}
      lead={<bdi class="break">{endpoint.url}</bdi>}
      actions={
        <button
          type="button"
          class="button primary"
          onClick={() => go(`/endpoints/${endpoint.id}`)}
        >
          {t().toEndpoint}
        </button>
      }
    >
      {endpoint.warnings.map((one) => (
        <Note key={one}>{one}</Note>
      ))}
      {endpoint.state === 'unverified' && <Note>{t().unverifiedNote}</Note>}
      <Section title={t().secret}>
        <Secret value={endpoint.secret} />
      </Section>
      <Section title={t().verify}>
        <VerificationCode />
      </Section>
      <Section title={t().test}>
        <TestPanel id={endpoint.id} />
      </Section>
    </Screen>
  );
}

export function Secret({ value }: { readonly value: string }) {
  return (
    <>
      <p class="hint">{t().secretOnce}</p>
      <div class="secret">
        <code>{value}</code>
        <Copyable text={value} />
      </div>
    </>
  );
}
