/** Programs that verify a request as Standard Webhooks says, with its library where the language has one. */
export const VERIFICATION = {
  Node: `// npm install standardwebhooks
import { Webhook } from 'standardwebhooks';

// body: the text of the request as it came, before it is parsed
export function isGenuine(headers, body, secret) {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch {
    return false;
  }
}
`,
  Python: `# pip install standardwebhooks
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

# body: the bytes of the request as they came, before they are parsed
def is_genuine(headers, body, secret):
    try:
        Webhook(secret).verify(body, headers)
        return True
    except WebhookVerificationError:
        return False
`,
  Go: `// go get github.com/standard-webhooks/standard-webhooks/libraries
package webhook

import (
	"net/http"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// body: the bytes of the request as they came, before they are parsed
func IsGenuine(header http.Header, body []byte, secret string) bool {
	webhook, err := standardwebhooks.NewWebhook(secret)
	return err == nil && webhook.Verify(body, header) == nil
}
`,
  PHP: `<?php
// composer require standard-webhooks/standard-webhooks

// $body: file_get_contents('php://input'), before it is parsed
function is_genuine(array $server, string $body, string $secret): bool
{
    try {
        (new \\StandardWebhooks\\Webhook($secret))->verify($body, [
            'webhook-id' => $server['HTTP_WEBHOOK_ID'] ?? null,
            'webhook-timestamp' => $server['HTTP_WEBHOOK_TIMESTAMP'] ?? null,
            'webhook-signature' => $server['HTTP_WEBHOOK_SIGNATURE'] ?? null,
        ]);
        return true;
    } catch (\\StandardWebhooks\\Exception\\WebhookVerificationException) {
        return false;
    }
}
`,
  Ruby: `# gem install standardwebhooks
require 'standardwebhooks'

# body: the text of the request as it came (request.raw_post in Rails)
def genuine?(headers, body, secret)
  names = %w[webhook-id webhook-timestamp webhook-signature]
  StandardWebhooks::Webhook.new(secret).verify(body, names.to_h { |name| [name, headers[name]] })
  true
rescue StandardWebhooks::WebhookVerificationError
  false
end
`,
  Shell: `# id, time: the headers webhook-id and webhook-timestamp; body.json: the body as it came
key=$(printf %s "\${secret#whsec_}" | base64 -d | od -An -v -tx1 | tr -d ' \\n')
{ printf %s "$id.$time."; cat body.json; } |
  openssl dgst -sha256 -mac hmac -macopt "hexkey:$key" -binary | base64
# The output, after "v1,", is one of the signatures in webhook-signature.
`,
} as const;
