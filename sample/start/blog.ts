import { start } from '../blog/play/processes.js';
import { TOKENS } from '../blog/users/demo-users.js';
import { SEEDED_SECRET } from '../blog/play/seed/endpoints.js';
import type { Stage } from './start.js';

/** The blog with three days of two users, and its consumer. */
export async function startBlog({ port, consumerPort, running }: Stage): Promise<string> {
  const consumer = await start('consumer', consumerPort);
  running.push(consumer);
  process.env['BLOG_SEED'] = `${consumer.url}/{name}`;
  await fetch(`${consumer.url}/secret`, { method: 'PUT', body: SEEDED_SECRET });
  const blog = await start('main', port);
  running.unshift(blog);
  const curl = curlOf(TOKENS.alice);

  return `
The blog listens on ${blog.url} (try ${blog.url}/docs), the consumer on ${consumer.url}.

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
  ${curlOf(TOKENS.bob)} -X POST ${blog.url}/articles/1/recommend
  ${curl} -X DELETE ${blog.url}/articles/1

See and remove subscribers:
  ${curl} ${blog.url}/hooks/
  ${curl} -X DELETE ${blog.url}/hooks/sub_…

Another user's token: ${TOKENS.bob}`;
}

/** A command that calls a sample as the user of a token. */
export function curlOf(token: string): string {
  return `curl -H 'Authorization: Bearer ${token}' -H 'Content-Type: application/json'`;
}
