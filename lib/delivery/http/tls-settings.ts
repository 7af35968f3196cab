import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';

/** Options of trust in certificates. */
export interface TlsOptions {
  /** Additional trusted certificate authorities, in PEM. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[];
}

/** The TLS options shared by all connections. */
export interface TlsSettings {
  readonly rejectUnauthorized: true;
  readonly secureContext?: SecureContext;
}

export function tlsSettings({ ca }: TlsOptions = {}): TlsSettings {
  // Explicit, because the environment can otherwise switch verification off.
  const rejectUnauthorized = true;
  return ca === undefined
    ? { rejectUnauthorized }
    : { rejectUnauthorized, secureContext: trusting(ca) };
}

function trusting(ca: NonNullable<TlsOptions['ca']>): SecureContext {
  const own = Array.isArray(ca) ? (ca as readonly (string | Buffer)[]) : [ca as string | Buffer];
  return createSecureContext({ ca: [...rootCertificates, ...own] });
}
