import { decodeForm } from './decode-form.js';
import type { SignedRequest } from './signed-request.js';
import { WebhookRejectedError } from './webhook-rejected.error.js';

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json$/;
const FORM_TYPE = 'application/x-www-form-urlencoded';

/**
 * Decodes a body by its content type: JSON into its value, a form into nested objects, `text/…` into a text. Other types
 * stay bytes. Without a content type, as a queue may have it, a body that is JSON is parsed; others stay bytes.
 *
 * @throws {@link WebhookRejectedError} `unreadable-body`
 */
export function decodeBody({ headers, body }: SignedRequest): unknown {
  const type = (headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
  if (type === '') return jsonOrBytes(body);
  if (JSON_TYPE.test(type)) return decodeJson(textIn(body));
  if (type === FORM_TYPE) return decodeForm(textIn(body));
  return type.startsWith('text/') ? textIn(body) : body;
}

export function decodeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Without the parser's own words: they quote the body.
    throw new WebhookRejectedError('unreadable-body', 'the body is not valid JSON');
  }
}

function jsonOrBytes(body: Buffer): unknown {
  try {
    return decodeJson(textIn(body));
  } catch {
    return body;
  }
}

function textIn(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new WebhookRejectedError('unreadable-body', 'the body is not valid UTF-8');
  }
}
