/** Why an attempt has no answer, by the code of the API. */
export const attemptErrors = {
  timeout: 'The endpoint did not answer in time',
  'connection-reset': 'The connection was lost before the answer was complete',
  unreachable: 'The endpoint could not be reached',
  tls: 'No trusted TLS connection could be made',
  protocol: 'The endpoint’s answer is not valid HTTP',
  unencodable: 'The message could not be encoded',
  internal: 'The request could not be made',
};
