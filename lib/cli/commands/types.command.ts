import { writeFile } from 'node:fs/promises';
import { InvalidInputError } from '../../errors/index.js';
import { webhookTypes } from '../../openapi/webhook-types.js';
import { type Command, parseText } from '../terminal/command.js';
import { fetchFailure } from './api-client.js';
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
    const bytes = /^https?:\/\//.test(source)
      ? await fetched(source, readHeaders(given, terminal))
      : await terminal.read(source);
    let document: unknown;
    try {
      document = JSON.parse(bytes.toString());
    } catch {
      throw new UsageError(`${source === '-' ? 'the standard input' : source} is not JSON`);
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

async function fetched(
  url: string,
  headers: readonly (readonly [string, string])[],
): Promise<Buffer> {
  let response: Response;
  try {
    response = await fetch(url, { headers: headers as [string, string][] });
  } catch (error) {
    throw new UsageError(`${url} cannot be read: ${fetchFailure(error)}`);
  }
  const { ok, status } = response;
  const advice =
    status === 401 || status === 403
      ? ". Give what it asks for: -H 'Authorization: …', or the variable THORN_AUTHORIZATION"
      : '';
  if (!ok) throw new UsageError(`${url} answers ${status}${advice}`);
  return Buffer.from(await response.arrayBuffer());
}
