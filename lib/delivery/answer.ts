import type { WebhookResponse } from './webhook-http-client.js';

/** An answer as it came over the wire; its headers are decoded when somebody reads them. */
export class Answer implements WebhookResponse {
  #headers: Record<string, string | string[] | undefined> | null = null;

  constructor(
    readonly status: number,
    private readonly rawHeaders: readonly Buffer[],
    readonly body: Buffer,
    readonly truncated: boolean,
    readonly address: string | null,
  ) {}

  get headers(): Readonly<Record<string, string | string[] | undefined>> {
    this.#headers ??= decode(this.rawHeaders);
    return this.#headers;
  }
}

function decode(raw: readonly Buffer[]): Record<string, string | string[] | undefined> {
  // Without a prototype: an endpoint may send a header of any name.
  const headers = Object.create(null) as Record<string, string | string[] | undefined>;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at]!.toString('latin1').toLowerCase();
    const value = raw[at + 1]!.toString('latin1');
    const known = headers[name];
    if (known === undefined) headers[name] = value;
    else if (typeof known === 'string') headers[name] = [known, value];
    else known.push(value);
  }
  return headers;
}
