import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';

/** What is trusted. */
export interface TlsOptions {
  /** Certificates of authorities, in PEM, that are trusted in addition to the well-known ones. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[];
}

/** The part of every TLS connection's options that is the same for all. */
export interface TlsSettings {
  readonly rejectUnauthorized: true;
  readonly secureContext?: SecureContext;
}

export function tlsSettings({ ca }: TlsOptions = {}): TlsSettings {
  // Stated, since the environment can otherwise switch verification off.
  const rejectUnauthorized = true;
  return ca === undefined
    ? { rejectUnauthorized }
    : { rejectUnauthorized, secureContext: trusting(ca) };
}

function trusting(ca: NonNullable<TlsOptions['ca']>): SecureContext {
  const own = Array.isArray(ca) ? (ca as readonly (string | Buffer)[]) : [ca as string | Buffer];
  return createSecureContext({ ca: [...rootCertificates, ...own] });
}
