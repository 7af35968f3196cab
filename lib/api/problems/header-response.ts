/** The methods that the responses of both platforms have. */
export interface HeaderResponse {
  header(name: string, value: string): HeaderResponse;
  status(code: number): HeaderResponse;
  send(body?: string): unknown;
  /** On Express. */
  readonly headersSent?: boolean;
  /** On Fastify. */
  readonly sent?: boolean;
}
