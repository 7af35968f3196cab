import { writeFile } from 'node:fs/promises';
import { webhookTypes } from '../../openapi/webhook-types.js';
import { type Command, parseText } from '../commands/command.js';
import { headerOption } from '../commands/api-client.js';
import { DOCUMENTS, ofDocuments, readDocument } from './document-source.js';
import { UsageError } from '../commands/terminal.js';

export const typesCommand: Command = {
  name: 'types',
  operands: '[document]',
  summary: 'Makes TypeScript types of all events, for receivers',
  details: DOCUMENTS,
  options: {
    out: {
      type: 'string',
      short: 'o',
      value: 'file',
      help: 'the file to write. Default: the standard output',
    },
    ...headerOption,
  },
  most: 1,
  async run([source = '-'], given, terminal) {
    const document = await readDocument(source, given, terminal);
    const types = ofDocuments(() => webhookTypes(document));
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
