import { useState } from 'preact/hooks';
import type { SentRequest } from '../../lib/outbox/index.js';
import { curlCommand } from '../core/curl.js';
import type { ShownDelivery } from '../core/deliveries.js';
import { bytesOfBase64 } from '../core/signing.js';
import type { Data } from '../core/use-data.js';
import { t } from '../text/index.js';
import { Button, Copyable, Note } from '../ui/basics.js';
import { Content } from '../ui/content.js';
import { Dialog } from '../ui/dialog.js';
import { Loaded, Section } from '../ui/screen.js';
import { SignatureDialog } from './signature-dialog.js';
import { VerificationCode } from './verification-code.js';

interface Options {
  readonly delivery: ShownDelivery;
  readonly data: Data<SentRequest>;
}

/** The request of a delivery as it was sent. */
export function RequestSection({ delivery, data }: Options) {
  const [open, setOpen] = useState<'verify' | 'why'>();
  // Operators see the data of customers only where an option lets them.
  if (data.error?.status === 403) return null;
  return (
    <Section title={t().request}>
      <Loaded data={data} as="line box">
        {(request) => (
          <>
            <SentBody request={request} />
            <div class="stack">
              <CurlButton request={request} />
              <Button onClick={() => setOpen('verify')}>{t().sent.verify}</Button>
              <Button onClick={() => setOpen('why')}>{t().sent.why}</Button>
            </div>
          </>
        )}
      </Loaded>
      {open === 'why' && data.value !== undefined && (
        <SignatureDialog
          request={data.value}
          attempts={delivery.attempts}
          onClose={() => setOpen(undefined)}
        />
      )}
      {open === 'verify' && (
        <Dialog title={t().sent.verify} onClose={() => setOpen(undefined)}>
          <VerificationCode />
          <div class="form-end">
            <Button kind="primary" onClick={() => setOpen(undefined)}>
              {t().close}
            </Button>
          </div>
        </Dialog>
      )}
    </Section>
  );
}

export function SentBody({ request }: { readonly request: SentRequest }) {
  const { method, url, body, bodyEncoding, missing } = request;
  const data = bodyEncoding === 'base64' && body !== null ? bytesOfBase64(body) : null;
  return (
    <>
      {url !== null && (
        <p class="mono break">
          {method} <bdi>{url}</bdi>
        </p>
      )}
      <Missing parts={missing} />
      {data !== null && <p class="hint">{t().sent.binary}</p>}
      {body !== null && (
        <Content
          label={t().body}
          text={body}
          name={fileOf(request)}
          {...(data !== null && { data })}
        />
      )}
    </>
  );
}

/** Says why parts are not shown: once for each reason, with the names of the parts unless the reason names them. */
function Missing({ parts }: { readonly parts: SentRequest['missing'] }) {
  const codes = [...new Set(parts.map(({ code }) => code))];
  const names: Readonly<Record<string, string>> = t().sent.parts;
  return (
    <>
      {codes.map((code) => (
        <Note key={code} tone="off">
          {t().sent.missing[code]}{' '}
          {code !== 'expunged' &&
            t().sent.notShown(
              parts
                .filter((one) => one.code === code)
                .map(({ field }) => names[field] ?? field)
                .join(', '),
            )}
        </Note>
      ))}
    </>
  );
}

function CurlButton({ request }: { readonly request: SentRequest }) {
  const { url, contentType, body, bodyEncoding } = request;
  if (url === null || contentType === null || body === null) return null;
  const text = curlCommand({ url, contentType, body, bodyEncoding }, fileOf(request));
  return <Copyable text={text} label={t().copyCurl} />;
}

function fileOf({ deliveryId, contentType }: SentRequest): string {
  return `${deliveryId}.${contentType?.includes('json') === true ? 'json' : 'bin'}`;
}
