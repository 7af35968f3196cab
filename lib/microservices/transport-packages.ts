import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, dirname } from 'node:path';
import { Transport } from '@nestjs/microservices';
import { missingPackages } from '../errors/require-packages.js';

/** Packages that clients of Nest load, by transport. Nest 11 and 12 have different ones for NATS. */
const PACKAGES: Readonly<Partial<Record<Transport, readonly string[]>>> = {
  [Transport.RMQ]: ['amqplib', 'amqp-connection-manager'],
  [Transport.NATS]: ['@nats-io/transport-node', 'nats'],
  [Transport.KAFKA]: ['kafkajs'],
  [Transport.REDIS]: ['ioredis'],
  [Transport.MQTT]: ['mqtt'],
};

/**
 * Checks that the packages of a transport are installed. Nest ends the process when it cannot load one.
 *
 * @throws {@link ThornConfigurationError} naming the packages that are not installed
 */
export function requireTransportPackages(transport: Transport): void {
  const missing = missingOf(PACKAGES[transport] ?? []);
  if (missing.length === 0) return;
  const client = `microservices({ client: { transport: Transport.${Transport[transport]} } })`;
  throw missingPackages(client, missing);
}

/** The packages that Nest's version asks for and that Nest cannot load. */
function missingOf(packages: readonly string[]): readonly string[] {
  let nest: string;
  let peers: Readonly<Record<string, string>>;
  try {
    nest = require.resolve('@nestjs/microservices');
    const manifest = readFileSync(join(dirname(nest), 'package.json'), 'utf8');
    ({ peerDependencies: peers } = JSON.parse(manifest) as { peerDependencies: typeof peers });
  } catch {
    // In an application that is bundled into one file, the bundler has found them.
    return [];
  }
  const { resolve } = createRequire(nest);
  return packages.filter((name) => name in peers && !canResolve(resolve, name));
}

function canResolve(resolve: (name: string) => string, name: string): boolean {
  try {
    resolve(name);
    return true;
  } catch (error) {
    // A package without an entry for require() is there all the same.
    return (error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND';
  }
}
