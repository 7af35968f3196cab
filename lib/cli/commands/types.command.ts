import { writeFile } from 'node:fs/promises';
import { InvalidInputError } from '../../errors/index.js';
import { webhookTypes } from '../../openapi/webhook-types.js';
import { type Command, parseText } from '../terminal/command.js';
import { ApiError, fetchFailure, parseUrl } from './api-client.js';
import { headerOption, readHeaders } from './api-headers.js';
import { UsageError } from '../terminal/usage.error.js';

export const typesCommand: Command = {
  name: 'types',
  operands: '[document]',
  summary: 'Makes TypeScript types of all events, for who receives them',
  details: [
    'The document is OpenAPI 3.1 with webhooks, or AsyncAPI 3.0, as JSON: a file, an http or https URL, or the standard',
    'input. An application makes it with thornOpenApiWebhooks() or thornAsyncApi() of nestjs-thorn/openapi. Headers and',
    'THORN_AUTHORIZATION are sent to a URL alone.',
  ].join('\n'),
  options: {
    out: { type: 'string', short: 'o', value: 'file', help: 'where to. Default: standard output' },
    ...headerOption,
  },
  most: 1,
  async run([source = '-'], given, terminal) {
    const url = parseUrl(source, 'the URL');
    const bytes =
      url === null ? await terminal.read(source) : await fetched(url, readHeaders(given, terminal));
    let document: unknown;
    try {
      document = JSON.parse(bytes.toString());
    } catch {
      const file = source === '-' ? 'the standard input' : source;
      throw new UsageError(`${url === null ? file : shownUrl(url)} is not JSON`);
    }
    let types: string;
    try {
      types = webhookTypes(document);
    } catch (error) {
      if (error instanceof InvalidInputError) throw new UsageError(`the ${error.message}`);
      throw error;
    }
    const file = parseText(given, 'out');
    if (file === undefined) terminal.out(types.trimEnd());
    else await written(file, types);
    return 0;
  },
};

async function written(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (error) {
    throw new UsageError(`${file} cannot be written: ${(error as Error).message}`);
  }
}

async function fetched(url: URL, headers: readonly (readonly [string, string])[]): Promise<Buffer> {
  const shown = shownUrl(url);
  let response: Response;
  try {
    response = await fetch(url, { headers: headers as [string, string][] });
  } catch (error) {
    throw new ApiError(`${shown} cannot be read: ${fetchFailure(error)}`);
  }
  const { ok, status } = response;
  const advice =
    status === 401 || status === 403
      ? ". Give what it asks for: -H 'Authorization: …', or the variable THORN_AUTHORIZATION"
      : '';
  if (!ok) throw new ApiError(`${shown} answers ${status}${advice}`);
  return Buffer.from(await response.arrayBuffer());
}

/** Without the query, which may hold a key. */
function shownUrl({ origin, pathname }: URL): string {
  return origin + pathname;
}
