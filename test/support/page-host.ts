import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Serves one document on an origin of its own: an application that shows the page in a frame. */
export async function serve(html: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const server = createServer((_request, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end(html),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
