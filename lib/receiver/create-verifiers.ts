import { Logger } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import { InvalidInputError } from '../errors/index.js';
import {
  checkReceiverOptions,
  deduplicationDurations,
  receiverChecks,
  type ReceiverOptions,
  type ThornReceiverModuleOptions,
} from './receiver-options.js';
import type { ReceivedTable } from './processing/received-table.js';
import { WebhookVerifier } from './verification/webhook-verifier.js';

const logger = new Logger('ThornReceiver');

export async function createVerifiers(
  options: ThornReceiverModuleOptions,
  moduleRef: ModuleRef,
  table: ReceivedTable | undefined,
): Promise<ReadonlyMap<string, WebhookVerifier>> {
  checkReceiverOptions(options);
  const { retention } = deduplicationDurations(options);
  const verifiers = new Map<string, WebhookVerifier>();
  for (const [name, receiver] of Object.entries(options.receivers)) {
    const verifier = await createVerifier(name, { ...receiver, retention }, moduleRef, table);
    for (const warning of verifier.warnings) logger.warn(`receivers.${name}.${warning}`);
    verifiers.set(name, verifier);
  }
  return verifiers;
}

async function createVerifier(
  name: string,
  { scheme: given, ...receiver }: ReceiverOptions & { readonly retention: number },
  moduleRef: ModuleRef,
  table: ReceivedTable | undefined,
): Promise<WebhookVerifier> {
  const scheme = typeof given === 'function' ? await moduleRef.create(given) : given;
  // The plain function has a default; here a forgotten scheme would verify by another one than was meant.
  const check = receiverChecks(name);
  if (scheme === undefined) throw check.error('scheme', 'is missing');
  try {
    return new WebhookVerifier({ ...receiver, scheme, receiver: name }, table);
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    throw check.error(error.field, error.reason);
  }
}
