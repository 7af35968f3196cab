/** Texts for an owner who has no webhook yet. */
export const firstVisit = {
  almost: 'Two steps to your first webhook',
  add: 'Add an endpoint',
  addHint: 'Enter the URL of your server, choose events, and copy the signing secret.',
  noServer: 'No server yet?',
  listenHint:
    'This command receives webhooks on your own machine. It prints each of them, and answers with success.',
  terminal: 'In a terminal, with Node.js',
  listenUrl:
    'Then enter the URL at which your machine is reached, for example that of a tunnel to port 4000.',
  test: 'Send a test',
  testHint: 'The page of the endpoint sends an example, and shows what your server answers.',
  arrive: 'See it arrive',
  arriveHint:
    'From then on each event is sent as it happens. “Deliveries” shows what was sent, what your server answered, and when it is tried again.',
};
