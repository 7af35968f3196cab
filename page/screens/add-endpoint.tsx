import { useState } from 'preact/hooks';
import type { Created } from '../core/model.js';
import { onceOnly, type SendOnce } from '../core/once.js';
import { go, linkTo } from '../core/router.js';
import { owner } from '../core/source.js';
import { useAction } from '../core/use-data.js';
import { t } from '../text/index.js';
import { refusalText } from '../text/problem-text.js';
import { Copyable, Note } from '../ui/basics.js';
import { Screen, Section } from '../ui/screen.js';
import { EndpointForm } from './endpoint-form.js';
import { TestPanel } from './test-panel.js';
import { VerificationCode } from './verification-code.js';

export function AddEndpoint() {
  const [create] = useState(() => onceOnly(owner.create));
  const [created, setCreated] = useState<Awaited<ReturnType<SendOnce<Created>>>>();
  const action = useAction(async (fields: object) => setCreated(await create(fields)));
  if (created !== undefined) {
    return <CreatedEndpoint endpoint={created.answer} isEarlier={created.isEarlier} />;
  }
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

interface CreatedOptions {
  readonly endpoint: Created;
  readonly isEarlier: boolean;
}

/** The only time that the secret is shown. */
function CreatedEndpoint({ endpoint, isEarlier }: CreatedOptions) {
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
      {isEarlier && <Note>{t().form.earlier}</Note>}
      {endpoint.warnings.map((one) => (
        <Note key={one.code}>{refusalText(one)}</Note>
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
