import { mkdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { blocksOf } from './blocks.js';

const PAGE = 'AGENTS.md';
const FOLDER = resolve('.cache/guides/agents');

// Its blocks are the files of one application, whose test is defined here as the page writes it.
mkdirSync(FOLDER, { recursive: true });
const files = blocksOf(PAGE).map(({ code }) => {
  const [, name] = /^\/\/ (\S+)\n/.exec(code)!;
  const text = code.replaceAll(
    /'nestjs-thorn(\/\w+)?'/g,
    (_, entry = '') => `'${resolve(`lib${entry}/index.ts`)}'`,
  );
  writeFileSync(resolve(FOLDER, name!), text);
  return name!;
});
await import(
  /* @vite-ignore */ resolve(
    FOLDER,
    files.find((name) => name.endsWith('.spec.ts'))!,
  )
);
