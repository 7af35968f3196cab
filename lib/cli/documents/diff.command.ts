import { catalogueChanges } from '../../openapi/catalogue-changes.js';
import type { Command } from '../commands/command.js';
import { UsageError } from '../commands/terminal.js';
import { headerOption } from '../commands/api-client.js';
import { DOCUMENTS, ofDocuments, readDocument } from './document-source.js';

export const diffCommand: Command = {
  name: 'diff',
  operands: '<old> [new]',
  summary: 'Compares two documents of events and prints the changes that break receivers',
  details: [
    'Without the name of the new document, the command reads it from the standard input. It ends with 1 when a change may break',
    'a receiver: a removed event or field, a field that may be missing now, another type, fewer allowed values. New events and',
    'new fields break no receiver.',
    '',
    DOCUMENTS,
  ].join('\n'),
  options: headerOption,
  most: 2,
  async run([old, now = '-'], given, terminal) {
    if (old === undefined) throw new UsageError('thorn diff needs the old document');
    if (old === now) throw new UsageError('thorn diff needs two documents, not one twice');
    const before = await readDocument(old, given, terminal);
    const after = await readDocument(now, given, terminal);
    const changes = ofDocuments(() => catalogueChanges(before, after));
    for (const { event, field, text, isBreaking } of changes) {
      const where = field === null || field === '' ? event : `${event}  ${field}`;
      terminal.out(`${isBreaking ? 'breaking' : 'addition'}  ${where}  ${text}`);
    }
    if (changes.length === 0) terminal.out('Nothing has changed.');
    return changes.some(({ isBreaking }) => isBreaking) ? 1 : 0;
  },
};
