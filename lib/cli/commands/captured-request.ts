import { UsageError } from './terminal.js';

export interface CapturedRequest {
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
}

/**
 * Reads a captured request: as HTTP writes it (request line, headers, an empty line, the body), with the request line
 * or without it; or as JSON, `{ "headers": { … }, "body": "…" }`, where `bodyBase64` may stand for bytes.
 *
 * @throws {@link UsageError} when it is neither
 */
export function capturedRequest(bytes: Buffer): CapturedRequest {
  const text = bytes.toString('latin1');
  return text.trimStart().startsWith('{') ? fromJson(bytes) : fromHttp(bytes, text);
}

/** The other way round. */
export function serializeRequest({ headers, body }: CapturedRequest): Buffer {
  const lines = ['POST / HTTP/1.1', ...headers.map(([name, value]) => `${name}: ${value}`), '', ''];
  return Buffer.concat([Buffer.from(lines.join('\r\n')), body]);
}

function fromHttp(bytes: Buffer, text: string): CapturedRequest {
  // Found in Latin-1, where a character is a byte, so that the body stays as it came.
  const end = /\r?\n\r?\n/.exec(text);
  if (end === null) throw new UsageError('the request has no empty line between headers and body');
  const lines = text.slice(0, end.index).split(/\r?\n/);
  const headers = lines
    .filter((line, at) => !(at === 0 && /^[A-Z]+ \S+( HTTP\/\d(\.\d)?)?$/.test(line)))
    .map((line) => {
      const colon = line.indexOf(':');
      if (colon < 1) throw new UsageError(`"${line.slice(0, 40)}" is not a header`);
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()] as const;
    });
  return { headers, body: bytes.subarray(end.index + end[0].length) };
}

function fromJson(bytes: Buffer): CapturedRequest {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch {
    throw new UsageError('the request begins like JSON, but is not valid JSON');
  }
  const { headers, body, bodyBase64 } = value as Readonly<Record<string, unknown>>;
  const isBytes = typeof bodyBase64 === 'string';
  if (typeof headers !== 'object' || headers === null || (!isBytes && typeof body !== 'string')) {
    throw new UsageError('the request must have "headers", an object, and "body", the raw text');
  }
  return {
    headers: Object.entries(headers).map(([name, one]) => [name, String(one)]),
    body: isBytes ? Buffer.from(bodyBase64, 'base64') : Buffer.from(body as string),
  };
}
