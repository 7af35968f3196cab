import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as nestBull from '@nestjs/bullmq';
import * as common from '@nestjs/common';
import { Controller, Get, Injectable, Module, type INestApplication } from '@nestjs/common';
import * as core from '@nestjs/core';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import * as express from '@nestjs/platform-express';
import { ExpressAdapter } from '@nestjs/platform-express';
import * as fastify from '@nestjs/platform-fastify';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import * as testing from '@nestjs/testing';
import { Test } from '@nestjs/testing';
import * as typeorm from '@nestjs/typeorm';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import * as bullmq from 'bullmq';
import { Column, DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm';
import { afterEach, describe, expect, inject, it } from 'vitest';

@Entity()
class Note {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column()
  text!: string;
}

@Injectable()
class Notes {
  constructor(readonly dataSource: DataSource) {}
}

@Controller()
class NotesController {
  constructor(readonly notes: Notes) {}

  @Get('notes')
  list(): Promise<Note[]> {
    return this.notes.dataSource.manager.find(Note);
  }
}

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'better-sqlite3',
      database: ':memory:',
      entities: [Note],
      synchronize: true,
    }),
  ],
  controllers: [NotesController],
  providers: [Notes],
})
class NotesModule {}

describe('the NestJS that these tests run on', () => {
  let app: INestApplication | undefined;
  afterEach(() => app?.close());

  const majors = [
    { major: 12, home: new URL('../../', import.meta.url) },
    { major: 11, home: new URL('../nest-11/', import.meta.url) },
  ];

  it.each([
    ['bullmq', nestBull],
    ['common', common],
    ['core', core],
    ['platform-express', express],
    ['platform-fastify', fastify],
    ['testing', testing],
    ['typeorm', typeorm],
  ])('has the major that the project is named after: @nestjs/%s', (name, loaded) => {
    for (const { major, home } of majors) {
      expect(versionAt(home, `@nestjs/${name}`)).toMatch(new RegExp(`^${major}\\.`));
      expect(isOf(home, `@nestjs/${name}`, loaded)).toBe(major === inject('nestMajor'));
    }
  });

  it('comes with BullMQ 5 when it is Nest 11, and with BullMQ 6 otherwise', () => {
    for (const { major, home } of majors) {
      expect(versionAt(home, 'bullmq')).toMatch(major === 11 ? /^5\./ : /^6\./);
      expect(isOf(home, 'bullmq', bullmq)).toBe(major === inject('nestMajor'));
    }
  });

  it.each([
    ['Express', () => new ExpressAdapter()],
    ['Fastify', () => new FastifyAdapter()],
  ])('injects by decorator metadata and serves through %s', async (_name, adapter) => {
    const module = await Test.createTestingModule({ imports: [NotesModule] }).compile();
    app = module.createNestApplication(adapter() as ExpressAdapter);
    await app.listen(0, '127.0.0.1');
    const dataSource = app.get<DataSource>(getDataSourceToken());
    expect(app.get(Notes).dataSource).toBe(dataSource);
    await dataSource.manager.save(Note, { text: 'hello' });
    const answer = await fetch(`${await app.getUrl()}/notes`);
    expect(await answer.json()).toEqual([{ id: 1, text: 'hello' }]);
  });

  it('is the same for the application and for its test kit', async () => {
    const module = await Test.createTestingModule({ imports: [NotesModule] }).compile();
    expect(module.get(ModulesContainer)).toBeInstanceOf(ModulesContainer);
    await module.close();
    const plain = await NestFactory.createApplicationContext(NotesModule, { logger: false });
    expect(plain.get(ModulesContainer)).toBeInstanceOf(ModulesContainer);
    await plain.close();
  });
});

function versionAt(home: URL, name: string): string {
  const manifest = new URL(`node_modules/${name}/package.json`, home);
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}

/** Whether what was loaded is the copy that belongs there. */
function isOf(home: URL, name: string, loaded: object): boolean {
  const copy = createRequire(home)(name) as object;
  return Object.entries(copy).some(
    ([key, value]) => typeof value === 'function' && loaded[key as never] === value,
  );
}
