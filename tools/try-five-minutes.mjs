// Usage: node tools/try-five-minutes.mjs [Nest's major ...]
//
// Does what docs/getting-started.md says as it stands there, with the packed package in place of the one on npm, and waits
// for the webhook in the terminal of the listener. The application's own tests and its linter have to pass as before.
// Then the application becomes the example of README.md, and README's commands have to lead to a verified webhook as well.
// Last it gets the guard of docs/recipes/passport.md, and the page is opened by the link that its route makes.
// Run `npm run build` and `node tools/check-package.mjs` first.
import { createHmac } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { copyCompiled } from './fresh-folder.mjs';
import { freePort } from './free-port.mjs';
import { packedFile } from './packed-file.mjs';
import { JWT_SECRET, patient, running, type, until } from './reader-shell.mjs';

const IMPORTS = `
    TypeOrmModule.forRoot({
      type: 'better-sqlite3',
      database: ':memory:',
      autoLoadEntities: true,
      synchronize: true,
    }),
    TypeOrmModule.forFeature([Order]),
    AuthModule,
  `;
const ORDER = `import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity()
export class Order {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column()
  customerId!: string;
}
`;

const guide = readFileSync('docs/getting-started.md', 'utf8');
const readme = readFileSync('README.md', 'utf8');
const recipe = readFileSync('docs/recipes/passport.md', 'utf8');
const commands = [...guide.matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, code = '']) =>
  code.trim().split('\n'),
);

/** Settles when no application has the listener's port, which the guide's command does not choose. */
let portIsFree = Promise.resolve();

const asked = process.argv.slice(2);
// At once: npm waits for its registry and the disk, and compilers compute.
await Promise.all((asked.length > 0 ? asked : ['11', '12']).map(follow));

/** @param {string} major */
async function follow(major) {
  const begin = Date.now();
  const home = mkdtempSync(join(tmpdir(), 'thorn-minutes-'));
  const shop = join(home, 'shop');
  const port = await freePort();
  const [create = '', , add = '', generate = '', listen = '', start = '', ask = ''] = commands;
  const install = async (/** @type {string} */ packages) => {
    await type(
      shop,
      `npm install ${packages.replace('nestjs-thorn', packedFile())} --ignore-scripts`,
    );
    copyCompiled(shop);
  };
  const addModule = () => type(shop, `${add} --skip-install`);
  try {
    await type(home, create.replace('@nestjs/cli', `@nestjs/cli@${major}`));
    // `nest add` would take it from npm.
    await install('nestjs-thorn');
    const said = await addModule();
    if (!said.includes('npx thorn listen')) throw new Error(said);
    await type(shop, generate);
    saveBlocks(shop, guide);
    const line = await alone(() =>
      running(shop, port, listen, async (log) => {
        await until(log, /listening on/);
        return running(shop, port, start, async () => {
          await type(shop, patient(ask.replace('3000', String(port))));
          return until(log, /POST \/ greeting\.sent \(.*\)/);
        });
      }),
    );
    const seconds = Math.round((Date.now() - begin) / 1000);
    console.log(`Nest ${major}: ${commands.length} commands, ${seconds} s: ${line}`);
    for (const command of ['npm test', 'npm run test:e2e', 'npm run lint'])
      await type(shop, command);
    console.log(`Nest ${major}: passes its own tests and its linter`);

    await renew(shop, home, major);
    // What the page says of Nest 11.
    if (!readme.includes('on NestJS 11: @nestjs/typeorm@11')) throw new Error('no Nest 11');
    const [, packages = ''] = /^npm install (nestjs-thorn .*)$/m.exec(readme) ?? [];
    await install(packages.replace('@nestjs/typeorm', major === '11' ? '$&@11' : '$&'));
    console.log(`Nest ${major}: the example of the README: ${await exampleOf(shop, port, start)}`);
    await addUsers(shop, major);
    await addModule();
    addPage(shop);
    console.log(`Nest ${major}: the page: ${await pageOf(shop, port, start)}`);
    await type(shop, 'npm run lint');
    console.log(`Nest ${major}: passes its linter with the page`);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/**
 * Gives the application the source that the command of README.md makes.
 *
 * @param {string} shop
 * @param {string} home
 * @param {string} major
 */
async function renew(shop, home, major) {
  const [create = ''] = /^npx @nestjs\/cli new shop .*?(?= &&)/m.exec(readme) ?? [];
  // Nest 11 has nothing to leave out.
  const own = major === '11' ? create.replace(' --no-observe', '') : create;
  const command = own.replace('@nestjs/cli new shop', `@nestjs/cli@${major} new new-shop`);
  await type(home, `${command} --skip-install --skip-git`);
  rmSync(join(shop, 'src'), { recursive: true });
  cpSync(join(home, 'new-shop/src'), join(shop, 'src'), { recursive: true });
}

/**
 * Does something that takes the listener's port, after the other application has done so.
 *
 * @param {() => Promise<string>} act
 */
function alone(act) {
  const result = portIsFree.then(act);
  portIsFree = result.then(
    () => undefined,
    () => undefined,
  );
  return result;
}

/**
 * Saves the files that a page shows, with imports as the application itself writes them.
 *
 * @param {string} shop
 * @param {string} text
 */
function saveBlocks(shop, text) {
  const ending = endingOf(shop);
  for (const [, file = '', code = ''] of text.matchAll(/```ts\n\/\/ (src\/\S+)\n([^]*?)```/g)) {
    mkdirSync(dirname(join(shop, file)), { recursive: true });
    writeFileSync(join(shop, file), code.replaceAll(/\.js';/g, `${ending}';`));
  }
}

/**
 * How the application itself ends its imports.
 *
 * @param {string} shop
 */
function endingOf(shop) {
  return readFileSync(join(shop, 'src/app.module.ts'), 'utf8').includes(".js'") ? '.js' : '';
}

/**
 * Gives the module that `nest add` has made the API, the page and the route of the recipe.
 *
 * @param {string} shop
 */
function addPage(shop) {
  const path = join(shop, 'src/webhooks/webhooks.module.ts');
  const module = readFileSync(path, 'utf8');
  const [, options = ''] =
    /ThornModule\.forRoot\(\{\n( {2}api: \{ guards: \[JwtAuthGuard\].*?)\}\);/s.exec(recipe) ?? [];
  if (options === '') throw new Error('docs/recipes/passport.md must show the options');
  const ending = endingOf(shop);
  const imports = [
    `import { thornPage } from 'nestjs-thorn/page';`,
    `import { AuthModule } from '../auth/auth.module${ending}';`,
    `import { JwtAuthGuard } from '../auth/jwt-auth.guard${ending}';`,
    `import { WebhooksLinkController } from './webhooks-link.controller${ending}';`,
  ];
  const typed = options.replace('(request)', '(request: { user: { id: string } })');
  const edited = module
    .replace('ThornModule.forRoot({', `$&\n${typed}`)
    .replace('@Module({', '$&\n  controllers: [WebhooksLinkController],');
  writeFileSync(path, `${imports.join('\n')}\n${edited}`);
}

/**
 * Gives the application an entity, and the guard as docs/recipes/passport.md writes it.
 *
 * @param {string} shop
 * @param {string} major
 */
async function addUsers(shop, major) {
  const [packages = ''] = /(?<=^```sh\n).*?(?=^```)/ms.exec(recipe) ?? [];
  await type(shop, packages.replace('@nestjs/passport', `@nestjs/passport@${major}`));
  const path = join(shop, 'src/app.module.ts');
  const module = readFileSync(path, 'utf8');
  const ending = endingOf(shop);
  saveBlocks(shop, recipe.slice(0, recipe.indexOf('## Sessions')));
  writeFileSync(join(shop, 'src/order.entity.ts'), ORDER);
  const edited = module.replace('imports: []', `imports: [${IMPORTS}]`);
  if (edited === module) throw new Error('`nest new` makes another AppModule than before');
  const imports = [
    `import { TypeOrmModule } from '@nestjs/typeorm';`,
    `import { AuthModule } from './auth/auth.module${ending}';`,
    `import { Order } from './order.entity${ending}';`,
  ];
  writeFileSync(path, `${imports.join('\n')}\n${edited}`);
}

/**
 * Starts the application, and opens the page by a link, as a front end with a token would.
 *
 * @param {string} folder
 * @param {number} port
 * @param {string} start
 */
function pageOf(folder, port, start) {
  const [head, body] = [{ alg: 'HS256', typ: 'JWT' }, { sub: 'ann' }].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  );
  const sign = createHmac('sha256', JWT_SECRET).update(`${head}.${body}`).digest('base64url');
  const origin = `http://localhost:${port}`;
  return running(folder, port, start, async () => {
    const token = `Authorization: Bearer ${head}.${body}.${sign}`;
    const link = await type(folder, patient(`curl -X POST ${origin}/webhooks-link -H "${token}"`));
    const { url } = /** @type {{ url: string }} */ (JSON.parse(link));
    const page = await fetch(new URL(url, origin));
    const refused = await fetch(`${origin}/hooks`);
    if (page.status !== 200 || refused.status !== 401) throw new Error('the page is not as it was');
    return `${url.replace(/code=.*/, 'code=…')}, ${page.headers.get('content-type')}`;
  });
}

/**
 * Makes the application that of README.md for as long as its commands take.
 *
 * @param {string} folder
 * @param {number} port
 * @param {string} start
 */
async function exampleOf(folder, port, start) {
  const path = join(folder, 'src/app.module.ts');
  const before = readFileSync(path, 'utf8');
  const listenPort = String(await freePort());
  const [subscribe = '', listen = '', save = ''] = [
    ...readme.matchAll(/^(?:curl|npx thorn listen) .*$/gm),
  ].map(([line]) => line.replace('localhost:3000', `localhost:${port}`));
  writeFileSync(path, /(?<=^```ts\n).*?(?=^```)/ms.exec(readme)?.[0] ?? '');
  const line = await running(folder, port, start, async () => {
    const answer = await type(folder, patient(subscribe.replace('4000', listenPort)));
    const { secret } = /** @type {{ secret: string }} */ (JSON.parse(answer));
    const receive = `${listen.replace(/whsec_….*/, secret)} --port ${listenPort}`;
    return running(folder, port, receive, async (log) => {
      await until(log, /listening on/);
      await type(folder, save);
      return until(log, /POST \/ article\.created \(ok, .*\)/);
    });
  });
  writeFileSync(path, before);
  return line;
}
