/** Why an attempt has no answer, by the code of the API. */
export const attemptErrors = {
  timeout: 'The endpoint did not answer in time',
  'connection-reset': 'The connection was lost before the answer was complete',
  unreachable: 'The endpoint could not be reached',
  tls: 'No trusted TLS connection could be made',
  protocol: 'The endpoint’s answer is not valid HTTP',
  'oauth-token': 'The token endpoint of OAuth gave no token',
  unencodable: 'The message could not be encoded',
  'too-large': 'The body is larger than the endpoint takes',
  internal: 'The application could not send the request',
  // For operators alone
  'recipient-refused': 'The options of the application do not allow this address',
  'connection-refused': 'The endpoint refused the connection',
  'name-not-resolved': 'There is no such host',
  proxy: 'The proxy of the application did not let the request through',
};
