import { OptionChecks } from '../common/option-checks.js';
import { Ed25519Key, PRIVATE_KEY_PREFIX, type PublicJwk } from './ed25519-key.js';
import { notAString } from './secrets.js';

/** Signatures besides the `v1` that each secret of a subscriber makes. */
export interface SigningOptions {
  /**
   * Private keys, `whsk_…`, that sign every request as `v1a`: one, or while they are changed up to five, newest first. Make
   * them with {@link generateSigningKeyPair}. Default: none.
   */
  readonly ed25519?: string | readonly string[];
  /**
   * True: requests also carry `Hook-HMAC`, Thorn's signature, for receivers that verify nothing else. It costs a second
   * HMAC per request, and brings the `digest` of subscribers into the REST API. Default false.
   */
  readonly hookHmac?: boolean;
}

/** The application's public keys, as `GET /hooks/.well-known/jwks.json` returns them (RFC 7517). */
export interface JsonWebKeySet {
  readonly keys: readonly PublicJwk[];
}

// A subscriber may have five secrets: together with them, this is the number of signatures that receivers of this
// package accept.
const MAX_KEYS = 5;

const CHECK = new OptionChecks('', 'signing.');

/** The keys that sign for the application. Receivers verify with the public halves, without any secret. */
export class ApplicationKeys {
  /** Newest first. */
  readonly all: readonly Ed25519Key[];
  readonly jwks: JsonWebKeySet;

  /** @throws `ThornConfigurationError` when a key is malformed; the error does not hold it */
  constructor(options: SigningOptions = {}) {
    const { ed25519 = [] } = options;
    const texts: readonly unknown[] = Array.isArray(ed25519) ? ed25519 : [ed25519];
    CHECK.assert(
      'ed25519',
      texts.length <= MAX_KEYS,
      `must be at most ${MAX_KEYS} keys, because receivers refuse requests with too many signatures. Leave out the oldest ones`,
    );
    this.all = Object.freeze(texts.map(parsed));
    const publicKeys = this.all.map(({ publicKey }) => publicKey);
    CHECK.assert(
      'ed25519',
      new Set(publicKeys).size === publicKeys.length,
      'must not name a key twice',
    );
    this.jwks = Object.freeze({ keys: Object.freeze(this.all.map(({ jwk }) => jwk)) });
  }
}

function parsed(text: unknown): Ed25519Key {
  const key = typeof text === 'string' ? Ed25519Key.parse(text) : null;
  if (key !== null) return key;
  if (text === undefined) throw CHECK.error('ed25519', `has a key that ${notAString(text)}`);
  throw CHECK.error(
    'ed25519',
    `must be ${PRIVATE_KEY_PREFIX} followed by the base64 of a 32-byte seed and its public key, or a list of these. ` +
      'Make a key with generateSigningKeyPair()',
  );
}
