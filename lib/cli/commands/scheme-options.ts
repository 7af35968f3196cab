import { InvalidInputError } from '../../errors/index.js';
import type { Digest } from '../../message/index.js';
import type { SchemeName } from '../../receiver/schemes/scheme-by-name.js';
import { type CommandOptions, type Given, readSecrets, parseTexts, parseWord } from './command.js';
import { type Terminal, UsageError } from './terminal.js';

const SCHEMES = ['standard', 'thorn', 'stripe', 'github'] as const satisfies SchemeName[];
const DIGESTS = ['sha1', 'sha256', 'sha512'] as const satisfies Digest[];

export const schemeOptions = {
  secret: {
    type: 'string',
    short: 's',
    multiple: true,
    value: 'secret',
    help: 'the secret: whsec_…, whpk_… or a text. Repeat it while a secret is rotated. Default: THORN_SECRET',
  },
  scheme: {
    type: 'string',
    value: 'name',
    help: `how requests are signed: ${SCHEMES.join(', ')}. Default: standard`,
  },
  digest: {
    type: 'string',
    value: 'name',
    help: `the digest of the scheme thorn: ${DIGESTS.join(', ')}`,
  },
} as const satisfies CommandOptions;

/** @throws {@link UsageError} without a secret, unless none is needed */
export function signatureSettings(given: Given, terminal: Terminal, needsSecret = true) {
  const secrets = readSecrets(given, terminal);
  if (secrets.length === 0 && needsSecret) {
    throw new UsageError('give the secret: --secret whsec_…, or the variable THORN_SECRET');
  }
  const digest = parseWord(given, 'digest', DIGESTS);
  return {
    secrets,
    scheme: parseWord(given, 'scheme', SCHEMES) ?? 'standard',
    ...(digest === undefined ? {} : { digest }),
  };
}

/** Makes a {@link UsageError} that names the option of the command line, or returns the error itself. */
export function usageErrorOf(error: unknown, given: Given): unknown {
  if (!(error instanceof InvalidInputError)) return error;
  const { field, reason, message } = error;
  const [, index] = /^secrets\[(\d+)\]$/.exec(field) ?? [];
  if (index !== undefined) return new UsageError(`${secretName(given, Number(index))} ${reason}`);
  return new UsageError(field in given ? `--${message}` : message);
}

function secretName(given: Given, index: number): string {
  const option = parseTexts(given, 'secret');
  if (option.length === 0) return 'THORN_SECRET';
  return option.length === 1 ? '--secret' : `--secret (number ${index + 1} of ${option.length})`;
}
