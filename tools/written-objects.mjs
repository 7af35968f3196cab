/**
 * The files that may write properties of objects that another package, Node.js or the application has made. Each value is the
 * reason as docs/operations.md gives it, under "What it touches in your application".
 *
 * @type {ReadonlyMap<string, string>}
 */
export const WRITTEN = new Map([
  ['lib/typeorm/replaced-methods.ts', 'replaces these methods of TypeORM'],
  ['lib/typeorm/own-subscribers.ts', "adds its subscribers to the data source's `subscribers`"],
  ['lib/typeorm/criteria/matched-rows.ts', 'makes query builders and results of its own'],
  ['lib/typeorm/criteria/upsert.ts', 'makes query builders and results of its own'],
  ['lib/capture/decorators/method-event.ts', 'gives providers that have a `@WebhookEvent` method'],
  ['lib/capture/table/row-copy.ts', 'makes copies of rows'],
  ['lib/typeorm/rows/entity-values.ts', 'makes copies of rows'],
  ['lib/database/database-errors.ts', 'removes `sql`, `parameters` and `params`'],
  ['lib/delivery/http/origin-pool.ts', 'replaces `read` of the sockets that it has opened'],
  ['lib/delivery/http/axios-adapter.ts', 'sets the default headers of an axios instance'],
  ['lib/cli/thorn.ts', 'sets the exit code of its own process'],
  ['lib/cli/commands/listen.command.ts', 'parts of a `URL` that it has made'],
  ['lib/testing/conformance/recipient-policy.ts', 'parts of a `URL` that it has made'],
  ['lib/testing/conformance/webhook-http-client.ts', 'sets the proxy variables of `process.env`'],
]);
