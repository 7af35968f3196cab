/** Texts of the screen of an endpoint: its health, its last failures and its changes. */
export const endpointTexts = {
  // Health
  failing: (time: string) => `Every request has failed since ${time}.`,
  share: (share: string) => `${share} of the way to being disabled`,
  disables: (distance: string, time: string) =>
    `The endpoint is disabled ${distance} (${time}) unless a request succeeds before.`,
  disablesSoon: 'The endpoint will be disabled when a few more events have failed.',
  answered: (status: number) => `The endpoint answered ${status}.`,
  lastAnswer: 'Last response:',
  gone: (time: string) =>
    `Disabled automatically on ${time}, because the endpoint answered 410 (Gone): it wants no more webhooks.`,
  failedTooLong: (time: string, since: string) =>
    `Disabled automatically on ${time}, because every request had failed since ${since}.`,
  disabledBy: (time: string) => `Disabled on ${time} by`,
  steps: 'What to do:',
  repair: (section: string) => `Repair your server. “${section}” says what to look for.`,
  press: (button: string) => `Press “${button}”.`,
  sendMissed: (button: string) => `Press “${button}” for the events since then.`,
  enabledBy: (time: string) => `Enabled again on ${time} by`,
  missed: 'Events from the time before were not sent.',
  recovered: (time: string, count: string) =>
    count === '1'
      ? `The endpoint has worked again since ${time}. 1 event had failed before.`
      : `The endpoint has worked again since ${time}. ${count} events had failed before.`,
  line: (days: string) => `Health of the last ${days} days`,
  dayNone: 'no requests',
  dayGood: (attempts: string) => `${attempts} requests, none failed`,
  dayBad: (attempts: string, failed: string) => `${attempts} requests, ${failed} failed`,
  badDays: (count: number) =>
    count === 0
      ? 'No day with failures'
      : count === 1
        ? '1 day with failures'
        : `${count} days with failures`,
  today: 'Today',
  // Order
  holding: 'A delivery has failed, and later events of the same object wait for it.',
  blocked: 'Events wait for an earlier event of the same object, which has not arrived.',
  showBlocking: 'Show the delivery that they wait for',
  // Rotation of the secret
  rotation: {
    hint: 'Creates a new secret, which is shown once.',
    old: 'The old secret',
    keep: 'Keep it for a time',
    keepHint: (until: string) =>
      `Requests are signed with both secrets until ${until}. Put the new secret into your server before then, and no event is lost.`,
    end: 'End it at once',
    endHint:
      'Your server refuses requests until it has the new secret. They are sent again later, as after any failure.',
    leaked: (button: string) =>
      `Has the secret leaked? Keep it for a short time, put the new secret into your server, and press “${button}” on this page.`,
    both: (until: string, button: string) =>
      `Put it into your server. Requests are signed with both secrets until ${until}. Once your server has the new secret, press “${button}” on the page of the endpoint, or wait.`,
    one: 'Put it into your server now, which refuses requests until then.',
    signs: (until: string) =>
      `The old secret signs until ${until} as well. Once your server has the new secret, you can end the old one.`,
    endNow: 'End it now',
    endTitle: 'End the old secret now?',
    endNowHint:
      'From now on, requests are signed with the new secret alone. A server that still verifies with the old secret refuses them.',
    ended: 'The old secret has ended. Requests are signed with the new secret alone.',
  },
  // Failures
  failures: 'Latest failures',
  times: (count: number) => `${count} of the latest deliveries`,
  showLatest: 'Show the latest',
  advice: {
    '3xx': 'Redirects are not followed. Enter the URL to which the server redirects.',
    '4xx': 'The server refuses the request. Its response often says why.',
    '401':
      'The server found no valid signature or login. Check that it verifies with the current secret, and that the endpoint has the credentials that it asks for.',
    '403': 'A firewall or a check in the server refuses the request. Let POST requests in.',
    '404': 'There is nothing at this path. Check the URL.',
    '405': 'The server takes no POST requests at this path. Check the URL.',
    '410': 'Status 410 means that the endpoint wants no more webhooks, so it is disabled.',
    '413': 'The body is larger than the server takes. Raise its limit for bodies.',
    '429': 'The server asks for fewer requests. Set a rate limit for the endpoint.',
    '5xx': 'The server failed while it handled the request. Look into its log for this time.',
    '502': 'A proxy in front of the server got no response. Check that the server runs.',
    '503': 'The server or a proxy in front of it is overloaded or down. Check that it runs.',
    '504': 'A proxy in front of the server got no response in time. Check that the server runs.',
    timeout: 'Answer 200 as soon as the event is stored, and do the work afterwards.',
    'connection-reset': 'The server or a proxy ended the connection. Check whether it restarts.',
    unreachable:
      'Check the URL, that the server runs, and that its firewall lets requests of this application in.',
    tls: 'Check that the certificate is valid, is for this host, and is sent with its chain.',
    protocol: 'Check that a web server listens at this port.',
    'oauth-token': 'Check the token URL, the client id and the client secret.',
    'too-large':
      'Send fewer fields (“Body” in the settings), or let the endpoint take larger bodies.',
    other:
      'Your server is not at fault: this application could not send the request. Tell its support the id of the delivery.',
  },
  // Changes
  changes: 'Changes',
  noChanges: 'No changes are recorded.',
  change: 'Change',
  by: 'By',
  kinds: {
    created: 'Created',
    changed: 'Changed',
    removed: 'Deleted',
    failing: 'Failing',
    disabled: 'Disabled',
    recovered: 'Works again',
    expired: 'Expired',
  },
  actors: {
    application: 'The application',
    operator: 'An operator',
    receiver: 'The endpoint',
    worker: 'Automatic',
  },
  fields: {
    enabled: 'Enabled or disabled',
    secret: 'Signing secret',
    verification: 'Verification',
    metadata: 'Metadata',
    digest: 'Hash of the header Hook-HMAC',
  },
};
