export { checkSecret, generateSecret } from './secrets.js';
export { StandardWebhookSigner } from './standard-webhook-signer.js';
export { type SigningInput, WebhookSigner } from './webhook-signer.js';
