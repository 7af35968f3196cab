/**
 * The expressions that may write properties of objects that another package, Node.js or the application has made. Of an
 * assignment, `code` is its left side.
 *
 * @typedef {object} Written
 * @property {string} file
 * @property {readonly string[]} code
 * @property {string} says the reason, as docs/operations.md gives it under "What it touches in your application"
 */

/** @type {readonly Written[]} */
export const WRITTEN = [
  {
    file: 'lib/typeorm/replaced-methods.ts',
    code: ['Reflect.set(holder, name, original)', 'Reflect.set(holder, name, method)'],
    says: 'replaces these methods of TypeORM',
  },
  {
    file: 'lib/typeorm/own-subscribers.ts',
    code: ['subscriber[OWN]', 'dataSource.subscribers.push(...added)', 'subscribers.splice(at, 1)'],
    says: "adds its subscribers to the data source's `subscribers`",
  },
  {
    file: 'lib/typeorm/criteria/matched-rows.ts',
    code: ["query.expressionMap.wheres.push({ type: 'simple', condition: [...writing.wheres] })"],
    says: 'makes query builders and results of its own',
  },
  {
    file: 'lib/typeorm/criteria/upsert.ts',
    code: [
      'result.identifiers.push(...inOrder(({ identifiers }) => identifiers))',
      'result.generatedMaps.push(...inOrder(({ generatedMaps }) => generatedMaps))',
    ],
    says: 'makes query builders and results of its own',
  },
  {
    file: 'lib/capture/decorators/method-event.ts',
    code: ['Reflect.defineProperty(instance, DISPATCHER, property)'],
    says: 'gives providers that have a `@WebhookEvent` method',
  },
  {
    file: 'lib/capture/table/row-copy.ts',
    code: [
      'Reflect.deleteProperty(copy, key)',
      'Object.defineProperties(copy, Object.getOwnPropertyDescriptors(row))',
      'Object.assign(copy, row)',
    ],
    says: 'makes copies of rows',
  },
  {
    file: 'lib/typeorm/rows/entity-values.ts',
    code: ['holder[of.isLazy ? `__${of.propertyName}__` : of.propertyName]'],
    says: 'makes copies of rows',
  },
  {
    file: 'lib/database/database-errors.ts',
    code: ['Reflect.deleteProperty(error, name)'],
    says: 'removes `sql`, `parameters` and `params`',
  },
  {
    file: 'lib/delivery/http/axios-adapter.ts',
    code: ['this.instance.defaults.headers.common'],
    says: 'sets the default headers of an axios instance',
  },
  {
    file: 'lib/cli/thorn.ts',
    code: ['process.exitCode'],
    says: 'sets the exit code of its own process',
  },
  {
    file: 'lib/cli/commands/listen.command.ts',
    code: ['target.pathname', 'target.search'],
    says: 'parts of a `URL` that it has made',
  },
  {
    file: 'lib/testing/conformance/webhook-http-client.ts',
    code: ['process.env[variable]', 'delete process.env[variable]'],
    says: 'sets the proxy variables of `process.env`',
  },
];
