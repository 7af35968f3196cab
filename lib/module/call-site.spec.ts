import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { CallSite, siteOf } from './call-site.js';

const here = (file: string) => join(process.cwd(), file);

describe('the place of a call', () => {
  it.each([
    [
      'CommonJS',
      `    at Object.<anonymous> (${here('dist/app.module.js')}:12:30)`,
      'dist/app.module.js:12',
    ],
    ['an ES module', `    at ${pathToFileURL(here('dist/app.mjs')).href}:3:18`, 'dist/app.mjs:3'],
    [
      'a function of an ES module',
      `    at make (${pathToFileURL(here('a.mjs')).href}:3:18)`,
      'a.mjs:3',
    ],
    ['an awaited function', `    at async ${here('src/main.ts')}:9:1`, 'src/main.ts:9'],
    ['a folder with blanks', `    at f (${here('my (old) app/a.js')}:7:1)`, 'my (old) app/a.js:7'],
    [
      'webpack',
      '    at eval (webpack-internal:///./src/app.ts:5:2)',
      'webpack-internal:///./src/app.ts:5',
    ],
    ['a file elsewhere', '    at f (/elsewhere/app.js:1:2)', '/elsewhere/app.js:1'],
    ['no stack', '', 'an unknown place'],
  ])('is found in %s', (_, frame, place) => {
    expect(siteOf(`Error\n${frame}\n    at node:internal/main:1:1`)).toBe(place);
  });

  it('leaves out frames of packages, unless there are no others', () => {
    const inPackage = `    at wrap (${here('node_modules/our-webhooks/index.js')}:4:5)`;
    expect(siteOf(`Error\n${inPackage}\n    at f (${here('src/app.ts')}:2:3)`)).toBe(
      'src/app.ts:2',
    );
    expect(siteOf(`Error\n${inPackage}`)).toBe('node_modules/our-webhooks/index.js:4');
  });

  it('leaves out the called method and what that calls', () => {
    const setUp = () => inner();
    const inner = () => new CallSite(setUp);
    expect(setUp().text).toMatch(/^setUp\(\) at lib\/module\/call-site\.spec\.ts:\d+$/);
  });
});
