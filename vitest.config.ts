import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Nest reads constructor parameter types from decorator metadata.
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  test: {
    include: ['lib/**/*.spec.ts', 'test/**/*.spec.ts'],
    globalSetup: ['test/services/postgres.ts'],
    setupFiles: ['reflect-metadata'],
    testTimeout: 20_000,
  },
});
