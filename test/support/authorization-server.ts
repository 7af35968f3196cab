import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';

export const CLIENT = {
  type: 'oauth2',
  clientId: 'a client:1',
  clientSecret: 's/e+c%r :t-of-the-client',
  scope: 'hooks',
} as const;

/** Seconds that an access token is good for. */
export const LIFETIME = 60;

/** A real authorization server on loopback, whose token endpoint can also fail. */
export class AuthorizationServer {
  /** Token requests so far. */
  requests = 0;
  /** What token requests wait for. */
  hold: Promise<void> | undefined;
  /** Answers the next token requests in place of the server; undefined: the server does. */
  instead: ((response: ServerResponse, request: IncomingMessage) => void) | undefined;

  private constructor(private readonly server: Server) {}

  static async start(): Promise<AuthorizationServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const started = new AuthorizationServer(server);
    const provider = new Provider(started.origin, {
      features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
      clients: [
        {
          client_id: CLIENT.clientId,
          client_secret: CLIENT.clientSecret,
          grant_types: ['client_credentials'],
          redirect_uris: [],
          response_types: [],
        },
      ],
      scopes: ['hooks'],
      ttl: { ClientCredentials: LIFETIME },
    });
    const answer = provider.callback();
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      started.requests += 1;
      void (started.hold ?? Promise.resolve()).then(() =>
        started.instead === undefined
          ? answer(request, response)
          : started.instead(response, request),
      );
    });
    return started;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get tokenUrl(): string {
    return `${this.origin}/token`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
