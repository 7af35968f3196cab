// Starts the blog and its consumer, to play with by hand.
import { isInUse, start } from './play/processes.js';
import { SEEDED_SECRET } from './play/seed/endpoints.js';
import { TOKENS } from './users/demo-users.js';

const consumerPort = await freePort('CONSUMER_PORT', 4000);
const blogPort = await freePort('PORT', 3000);
const consumer = await start('consumer', consumerPort);
process.env['BLOG_SEED'] = `${consumer.url}/{name}`;
await fetch(`${consumer.url}/secret`, { method: 'PUT', body: SEEDED_SECRET });
const blog = await start('main', blogPort);
const curl = `curl -H 'Authorization: Bearer ${TOKENS.alice}' -H 'Content-Type: application/json'`;

console.log(`
The blog listens on ${blog.url} (try ${blog.url}/docs), the consumer on ${consumer.url}. Ctrl-C ends both.

The page for webhooks, with three days of two users:
  ${blog.url}/sign-in/alice       the owner of some endpoints, as is ${blog.url}/sign-in/bob
  ${blog.url}/sign-in/operator    the operator, who sees those of everybody

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

/** The port of an environment variable. Ends the process, with the remedy, when another program has it. */
async function freePort(variable: string, standard: number): Promise<number> {
  const port = Number(process.env[variable] ?? standard);
  if (!(await isInUse(port))) return port;
  console.error(`Port ${port} is in use. Name a free one: ${variable}=${port + 1} npm run sample`);
  return process.exit(1);
}
