import { start } from '../blog/play/processes.js';
import { TOKENS } from '../blog/users/demo-users.js';
import { curlOf } from './blog.js';
import type { Stage } from './start.js';

/** The blog, and an agent of a user that subscribes through its MCP server. */
export async function startAgent({ port, consumerPort, running }: Stage): Promise<string> {
  const blog = await start('main', port);
  running.push(blog);
  process.env['MCP_URL'] = `${blog.url}/mcp`;
  process.env['MCP_TOKEN'] = TOKENS.alice;
  const agent = await start('../agent/main', consumerPort);
  running.unshift(agent);
  const curl = curlOf(TOKENS.alice);
  return `
The blog listens on ${blog.url}. The agent of Alice has subscribed ${agent.url} at ${blog.url}/mcp.

Write and publish, and see here what the agent verified:
  ${curl} -d '{"title": "Hello", "body": "…"}' ${blog.url}/articles
  ${curl} -X POST ${blog.url}/articles/1/publish`;
}
