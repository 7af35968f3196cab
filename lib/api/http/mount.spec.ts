import { Controller, Get, HttpCode, SetMetadata } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { controllerMark, takesPortalTokens } from '../platform/route-mark.js';
import { mount } from './mount.js';

@Controller()
class ThornThingsController {
  @Get('/things')
  @HttpCode(202)
  list(): string {
    return `things of ${this.constructor.name}`;
  }
}

const handlerOf = ({ prototype }: { readonly prototype: object }) =>
  (prototype as ThornThingsController).list;

describe('mount()', () => {
  it('gives each application routes of its own', () => {
    const first = mount(ThornThingsController, { path: 'hooks', portal: true });
    const second = mount(ThornThingsController, { path: 'webhooks' });

    expect([first, second].map((one) => controllerMark(one)?.api)).toEqual(['hooks', 'webhooks']);
    expect([first, second].map((one) => takesPortalTokens(handlerOf(one)))).toEqual([true, false]);
    expect(controllerMark(ThornThingsController)).toBeUndefined();
  });

  it('keeps the name, the handlers and their metadata', () => {
    const mounted = mount(ThornThingsController, { path: 'hooks' });

    expect((new mounted() as ThornThingsController).list()).toBe('things of ThornThingsController');
    expect(Reflect.getMetadata('path', handlerOf(mounted))).toBe('/things');
    expect(Reflect.getMetadata('__httpCode__', handlerOf(mounted))).toBe(202);
  });

  it('shows the handlers to decorators of the application', () => {
    const decorated: string[] = [];
    const note: ClassDecorator = ({ prototype }) => {
      decorated.push(...Object.getOwnPropertyNames(prototype));
    };
    mount(ThornThingsController, { path: 'hooks', decorators: [note, SetMetadata('mark', 1)] });

    expect(decorated).toContain('list');
    expect(Reflect.getMetadata('mark', ThornThingsController)).toBeUndefined();
  });
});
