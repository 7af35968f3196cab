export { ApplicationKeys, type JsonWebKeySet, type SigningOptions } from './application-keys.js';
export { generateSigningKeyPair, type PublicJwk, type SigningKeyPair } from './ed25519-key.js';
export {
  type EncryptionKey,
  type EncryptionOptions,
  SecretSealer,
  SecretUnreadableError,
} from './secret-sealer.js';
export { checkSecret, generateSecret, isEchoed, isSameSecret } from './secrets.js';
export { StandardWebhookSigner } from './standard-webhook-signer.js';
export { UnsubscribeLinks, type UnsubscribeOptions } from './unsubscribe-links.js';
export { type SigningInput, WebhookSigner } from './webhook-signer.js';
