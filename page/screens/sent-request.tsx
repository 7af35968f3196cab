import { useState } from 'preact/hooks';
import type { SentRequest } from '../../lib/outbox/index.js';
import { curlCommand } from '../core/curl.js';
import type { ShownDelivery } from '../core/deliveries.js';
import { bytesOfBase64 } from '../core/signing.js';
import type { Data } from '../core/use-data.js';
import { t } from '../text/index.js';
import { Button, Copyable, Note } from '../ui/basics.js';
import { Content } from '../ui/content.js';
import { Loaded, Section } from '../ui/screen.js';
import { SignatureDialog } from './signature-dialog.js';

interface Options {
  readonly delivery: ShownDelivery;
  readonly data: Data<SentRequest>;
}

/** The request of a delivery as it was sent. */
export function RequestSection({ delivery, data }: Options) {
  const [isOpen, setOpen] = useState(false);
  // Operators see the data of customers only where an option lets them.
  if (data.error?.status === 403) return null;
  return (
    <Section
      title={t().request}
      actions={
        data.value !== undefined && (
          <div class="stack">
            <CurlButton request={data.value} />
            <Button onClick={() => setOpen(true)}>{t().sent.why}</Button>
          </div>
        )
      }
    >
      <Loaded data={data}>{(request) => <Body request={request} />}</Loaded>
      {isOpen && data.value !== undefined && (
        <SignatureDialog
          request={data.value}
          attempts={delivery.attempts}
          onClose={() => setOpen(false)}
        />
      )}
    </Section>
  );
}

function Body({ request }: { readonly request: SentRequest }) {
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

/** Says why parts are not shown: once for each reason, with the names of the parts. */
function Missing({ parts }: { readonly parts: SentRequest['missing'] }) {
  const codes = [...new Set(parts.map(({ code }) => code))];
  return (
    <>
      {codes.map((code) => (
        <Note key={code} tone="off">
          {t().sent.missing[code]}{' '}
          <span class="faint">
            {parts
              .filter((one) => one.code === code)
              .map(({ field }) => field)
              .join(', ')}
          </span>
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
