import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as core from '@nestjs/core';
import * as telemetry from '@opentelemetry/api';
import * as bullmq from 'bullmq';
import * as classValidator from 'class-validator';
import * as promClient from 'prom-client';
import * as rxjs from 'rxjs';
import * as typeorm from 'typeorm';
import { describe, expect, inject, it } from 'vitest';

interface Manifest {
  readonly version: string;
  readonly devDependencies: Readonly<Record<string, string>>;
}

describe('the packages that these tests run on', () => {
  it.each([
    ['@nestjs/core', core],
    ['@opentelemetry/api', telemetry],
    ['bullmq', bullmq],
    ['class-validator', classValidator],
    ['prom-client', promClient],
    ['rxjs', rxjs],
    ['typeorm', typeorm],
  ])('are of the workspace: %s', (name, loaded) => {
    const path = createRequire(join(inject('packages'), 'package.json')).resolve(name);
    const copy = createRequire(path)(path) as Readonly<Record<string, unknown>>;
    const classes = Object.entries(copy).filter(([, value]) => typeof value === 'function');

    // A package that only has this version is the root's.
    expect(path.startsWith(inject('packages')) || inRoot(name) === wanted(name)).toBe(true);
    expect(classes.some(([key, value]) => loaded[key as never] === value)).toBe(true);
  });
});

function inRoot(name: string): string {
  return read(`node_modules/${name}/package.json`).version;
}

/** The version that the workspace asks for. */
function wanted(name: string): string | undefined {
  return read(join(inject('packages'), 'package.json')).devDependencies[name];
}

function read(file: string): Manifest {
  return JSON.parse(readFileSync(file, 'utf8')) as Manifest;
}
