// Starts the blog and its consumer, to play with by hand.
import { start } from './play/processes.js';
import { TOKENS } from './users/demo-users.js';

const consumer = await start('consumer', Number(process.env['CONSUMER_PORT'] ?? 4000));
const blog = await start('main', Number(process.env['PORT'] ?? 3000));
const curl = `curl -H 'Authorization: Bearer ${TOKENS.alice}' -H 'Content-Type: application/json'`;

console.log(`
The blog listens on ${blog.url} (try ${blog.url}/docs), the consumer on ${consumer.url}. Ctrl-C ends both.

Subscribe, and give the consumer the secret of the answer:
  ${curl} -d '{"event": "article.*", "url": "${consumer.url}/h/article?u=1"}' ${blog.url}/hooks/
  curl -X PUT -d 'whsec_…' ${consumer.url}/secret

Write, and see here what the consumer verified:
  ${curl} -d '{"title": "Hello", "body": "…"}' ${blog.url}/articles
  ${curl} -X PATCH -d '{"title": "Hello, world"}' ${blog.url}/articles/1
  ${curl} -X PATCH -d '{"tags": ["news"]}' ${blog.url}/articles/1
  ${curl} -X POST ${blog.url}/articles/1/publish
  ${curl.replace(TOKENS.alice, TOKENS.bob)} -X POST ${blog.url}/articles/1/recommend
  ${curl} -X DELETE ${blog.url}/articles/1

See and remove subscribers:
  ${curl} ${blog.url}/hooks/
  ${curl} -X DELETE ${blog.url}/hooks/sub_…

Another user's token: ${TOKENS.bob}
`);

process.once('SIGINT', () => {
  void Promise.all([blog.stop(), consumer.stop()]).then(() => process.exit());
});
