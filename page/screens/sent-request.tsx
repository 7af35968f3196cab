import { useState } from 'preact/hooks';
import { curlCommand } from '../core/curl.js';
import type { ShownDelivery } from '../core/deliveries.js';
import type { SentHeaders, SentRequest } from '../core/model.js';
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

/** The headers of one attempt, with its signature. */
export function RequestHeaders({ sent }: { readonly sent: SentHeaders | undefined }) {
  if (sent === undefined) return null;
  return (
    <details>
      <summary>{t().sent.requestHeaders}</summary>
      <Missing parts={sent.missing} />
      {sent.headers !== null && (
        <Content label={t().sent.requestHeaders} text={textOfHeaders(sent.headers)} />
      )}
    </details>
  );
}

export function textOfHeaders(headers: Readonly<Record<string, string | null>>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value ?? '…'}`)
    .join('\n');
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
  const { url, body, bodyEncoding, attempts } = request;
  const headers = attempts.findLast((one) => one.headers !== null)?.headers;
  if (url === null || body === null || headers === undefined || headers === null) return null;
  const text = curlCommand({ url, headers, body, bodyEncoding }, fileOf(request));
  return <Copyable text={text} label={t().copyCurl} />;
}

function fileOf({ deliveryId, contentType }: SentRequest): string {
  return `${deliveryId}.${contentType?.includes('json') === true ? 'json' : 'bin'}`;
}
