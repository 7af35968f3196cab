import { signWebhook } from '../../testing/sign-webhook.js';
import { serializeRequest } from './captured-request.js';
import { type Command, type Given, parseDate, parseText } from './command.js';
import { UsageError } from './terminal.js';
import { schemeOptions, signatureSettings, usageErrorOf } from './scheme-options.js';

export const signCommand: Command = {
  name: 'sign',
  operands: '[file]',
  summary: 'Prints the headers that sign a body',
  details:
    'The body is read from the file, or from the standard input, and its bytes are signed as they are.',
  options: {
    ...schemeOptions,
    id: { type: 'string', value: 'id', help: 'the id of the message. Default: a new id' },
    event: {
      type: 'string',
      value: 'name',
      help: 'the name of the event, for the schemes thorn and github',
    },
    time: { type: 'string', value: 'time', help: 'the time of the signature. Default: now' },
    http: { type: 'boolean', help: 'prints the whole request, which thorn verify can read' },
  },
  most: 1,
  async run([file = '-'], given, terminal) {
    const settings = signatureSettings(given, terminal);
    const [id, event] = [parseHeaderText(given, 'id'), parseHeaderText(given, 'event')];
    const time = parseDate(given, 'time', Date.now());
    const input = await terminal.read(file);
    try {
      const { headers, body } = signWebhook({
        ...settings,
        body: input,
        ...(id === undefined ? {} : { id }),
        ...(event === undefined ? {} : { event }),
        ...(time === undefined ? {} : { time }),
      });
      const pairs = Object.entries(headers);
      if (given['http'] === true) terminal.bytes(serializeRequest({ headers: pairs, body }));
      else for (const [name, value] of pairs) terminal.out(`${name}: ${value}`);
      return 0;
    } catch (error) {
      throw usageErrorOf(error, given);
    }
  },
};

/** A text that is printed as a header: a line break would begin another one. */
function parseHeaderText(given: Given, name: string): string | undefined {
  const text = parseText(given, name);
  if (text === undefined || /^[\x21-\x7e]+$/.test(text)) return text;
  throw new UsageError(`--${name} must be at least one printable ASCII character, without spaces`);
}
