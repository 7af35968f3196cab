/** Texts of the request that was sent, and of the search for the fault of a signature. */
export const request = {
  binary: 'These bytes are not text: they are shown as base64.',
  verify: 'Verify this signature',
  sameAnswer: (before: number) => `The same response as attempt ${before}`,
  changed: (parts: string) => `Changed since the attempt before: ${parts}`,
  changes: { status: 'status', error: 'reason', body: 'body', headers: 'headers' },
  answerHeaders: 'Response headers',
  notShown: (parts: string) => `Not shown: ${parts}.`,
  parts: { url: 'URL', contentType: 'content type', body: 'body' },
  missing: {
    expunged: 'The body is no longer stored.',
    unreadable: 'The event cannot be read at present. Try again later.',
    'subscriber-removed': 'The endpoint was removed.',
    'subscriber-changed':
      'The endpoint was changed after this request, so the request cannot be shown as it was sent. Resend the delivery to see one with the current settings.',
    'in-settings':
      'This endpoint is defined in the settings of the application, which may have changed since. So this may not be the request as it was sent.',
  },
  why: 'Why does my signature not match?',
  whyHint:
    'Compares the request that was sent with the request that your program saw. The comparison runs in this browser: your input is not sent anywhere.',
  secretHint: 'Exactly as your program has it, with any blanks and quotes.',
  seenHeaders: 'Headers that your program saw',
  seenHeadersHint:
    'One per line, for example webhook-id: msg_…. The page checks the secret with them.',
  seenBody: 'Body that your program saw',
  seenBodyHint: 'The text before your program parses it. Leave it empty to skip this check.',
  computedField: 'Signature that your program computes',
  computedHint: 'If you enter it, the page looks for a usual mistake that leads to this signature.',
  compare: 'Compare',
  noCrypto: 'This browser can do this on pages with https only.',
  nothing: 'Paste the secret, the headers or the body first.',
};

export const signature = {
  headerMissing: (name: string) =>
    `The header ${name} is missing. A proxy or a framework between may have dropped it.`,
  headersComplete: 'The headers of the signature are all there.',
  'webhook-id': 'webhook-id is that of another event: these headers belong to another request.',
  bodySame: 'The body is the one that was sent.',
  bodyEnds:
    'The body has other blanks or line breaks at its beginning or end. Verify the bytes as they came.',
  bodyWrittenAnew:
    'The body has the same data but is written in another way: it was parsed and serialised again. Verify the bytes as they came, before they are parsed.',
  bodyBlanks: 'The body has other blanks or line breaks. Verify the bytes as they came.',
  bodyCharset: 'The body was read in another charset. It is UTF-8: verify its bytes.',
  bodyCut: (seen: number, sent: number) =>
    `The body is cut off: ${seen} of ${sent} characters. Look for a limit in your framework.`,
  bodyDiffers: (at: number) =>
    `The body is another one: it differs from character ${at} on. Something changed it on the way, or it belongs to another request.`,
  notEnough:
    'The secret cannot be compared: paste the headers that your program saw, and the body where it is not shown here.',
  secretRight: 'The secret is the right one.',
  secretOld:
    'The secret is an old one, from before a rotation. It still signs until its time is over: change to the new one.',
  secretWrong:
    'The secret did not make this signature: it belongs to another endpoint, or to a time before or after a rotation, or the headers were changed.',
  secretBlanks:
    'The secret is right, but has blanks, line breaks or quotes around it. Remove them where your program reads it.',
  secretPrefix: 'The secret is right, but lacks whsec_ at its beginning.',
  secretOrBody: 'Secret and body do not fit the signature: one of them is wrong.',
  privateKey:
    'This is the private key. Requests are verified with the public key, which begins with whpk_.',
  computed: {
    right: 'Your program computes the right signature. Compare it with each in webhook-signature.',
    hex: 'Your program writes the signature in hexadecimal. Compare it as base64.',
    key: 'Your program uses the text of the secret as the key. The key is what the base64 after whsec_ decodes to.',
    payload:
      'Your program signs something else. What is signed is webhook-id, a dot, webhook-timestamp, a dot, and the body.',
    parsed:
      'Your program signs a body that was parsed and serialised again. Sign the bytes as they came.',
    unknown: 'No usual mistake leads to the signature that your program computes.',
  },
  clockOff: (minutes: number, isRefused: boolean) =>
    `The clock of your server is about ${Math.abs(minutes)} min ${minutes < 0 ? 'behind' : 'ahead'}, by the header date of its response.${isRefused ? ' Receivers refuse what is older or newer than 5 minutes.' : ''}`,
};

export type SignatureTexts = typeof signature;
