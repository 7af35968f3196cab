import { parseDuration } from '../../common/time.js';
import { verifyWebhook } from '../../receiver/routes/webhook-verifier.js';
import { WebhookRejectedError } from '../../receiver/schemes/signed-request.js';
import { capturedRequest } from './captured-request.js';
import { type Command, parseText } from './command.js';
import { schemeOptions, signatureSettings, usageErrorOf } from './scheme-options.js';
import { UsageError } from './terminal.js';

export const verifyCommand: Command = {
  name: 'verify',
  operands: '[file]',
  summary: 'Checks whether a captured request is signed with the secret',
  details: [
    'The request is read from the file, or from the standard input: as HTTP (headers, an empty line, the body), or as JSON:',
    '{ "headers": { … }, "body": "…" }.',
  ].join('\n'),
  options: {
    ...schemeOptions,
    tolerance: {
      type: 'string',
      value: 'time',
      help: 'the greatest age of the signature, such as 5m. Default: any age',
    },
  },
  most: 1,
  async run([file = '-'], given, terminal) {
    const settings = signatureSettings(given, terminal);
    const tolerance = parseText(given, 'tolerance');
    const milliseconds = tolerance === undefined ? Infinity : parseDuration(tolerance);
    if (milliseconds === null) throw new UsageError('--tolerance must be a time such as 5m or 30s');
    const request = capturedRequest(await terminal.read(file));
    try {
      const { id, event, timestamp } = verifyWebhook({
        ...request,
        ...settings,
        tolerance: milliseconds,
      });
      const signed = timestamp === null ? '' : `, signed at ${new Date(timestamp).toISOString()}`;
      terminal.out(`ok: ${event ?? 'an event without a name'}, ${id ?? 'without an id'}${signed}`);
      return 0;
    } catch (error) {
      if (error instanceof WebhookRejectedError) {
        terminal.out(`${error.reason}: ${error.message}`);
        return 1;
      }
      throw usageErrorOf(error, given);
    }
  },
};
