import { InvalidInputError } from '../../errors/index.js';
import type { Given } from '../commands/command.js';
import { type Terminal, UsageError } from '../commands/terminal.js';
import { fetchFailure, parseUrl, readHeaders } from '../commands/api-client.js';

/** Milliseconds that a URL may take to answer. */
const LONGEST_FETCH = 30_000;

/** The part of a command's help that describes its documents. */
export const DOCUMENTS = [
  'A document is OpenAPI 3.1 with webhooks, or AsyncAPI 3.0, as JSON. Give a file, an http or https URL, or the standard',
  'input. An application makes the document with thornOpenApiWebhooks() or thornAsyncApi() of nestjs-thorn/openapi. Headers',
  'and THORN_AUTHORIZATION are sent only to a URL.',
].join('\n');

/** @param source a file, a URL, or `-` for the standard input */
export async function readDocument(
  source: string,
  given: Given,
  terminal: Terminal,
): Promise<unknown> {
  const url = parseUrl(source, 'the URL');
  const bytes =
    url === null ? await terminal.read(source) : await fetched(url, readHeaders(given, terminal));
  try {
    return JSON.parse(bytes.toString());
  } catch {
    const file = source === '-' ? 'the standard input' : source;
    throw new UsageError(`${url === null ? file : shownUrl(url)} is not JSON`);
  }
}

/** @throws {@link UsageError} when the text is not a document of events */
export function ofDocuments<Made>(make: () => Made): Made {
  try {
    return make();
  } catch (error) {
    if (error instanceof InvalidInputError) throw new UsageError(`the ${error.message}`);
    throw error;
  }
}

async function fetched(url: URL, headers: readonly (readonly [string, string])[]): Promise<Buffer> {
  const shown = shownUrl(url);
  const [{ ok, status }, body] = await answerOf(url, headers).catch((error: unknown) => {
    throw new UsageError(`${shown} cannot be read: ${fetchFailure(error)}`);
  });
  const advice =
    status === 401 || status === 403
      ? ". Give what it asks for: -H 'Authorization: …', or the variable THORN_AUTHORIZATION"
      : '';
  if (!ok) throw new UsageError(`${shown} answers ${status}${advice}`);
  return body;
}

async function answerOf(
  url: URL,
  headers: readonly (readonly [string, string])[],
): Promise<readonly [Response, Buffer]> {
  const signal = AbortSignal.timeout(LONGEST_FETCH);
  const response = await fetch(url, { headers: headers as [string, string][], signal });
  return [response, Buffer.from(await response.arrayBuffer())];
}

/** Without the query, which may hold a key. */
function shownUrl({ origin, pathname }: URL): string {
  return origin + pathname;
}
