import { createRequire } from 'node:module';

// The sources are built to CommonJS, and run as ES modules here. Imported first by whatever runs in a process of its own.
globalThis.require = createRequire(import.meta.url);
