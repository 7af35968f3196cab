import { Test } from '@nestjs/testing';
import { describe, expect, it } from 'vitest';
import { construct, constructAs, from, named, provide } from './construct.js';

abstract class Engine {
  abstract readonly power: number;
}
class Diesel extends Engine {
  constructor(readonly power: number) {
    super();
  }
}
class Settings {
  readonly power = 80;
  readonly name = 'blue';
}
class Car {
  constructor(
    readonly engine: Engine,
    readonly name = 'unnamed',
  ) {}
}
class Garage {
  constructor(readonly contents: { readonly car: Car; readonly name: string }) {}
}
class Ticket {
  readonly place = 1;
}

const power = from([Settings], (settings) => settings.power);
const name = from([Settings], (settings) => settings.name);

describe('construct()', () => {
  it('provides classes with services, values and named dependencies', async () => {
    const module = await Test.createTestingModule({
      providers: [
        construct(Settings),
        constructAs(Engine, Diesel, power),
        construct(Car, Engine, name),
        construct(Garage, named({ car: Car, name })),
        provide(
          Ticket,
          from([Settings, Engine], () => null),
        ),
      ],
    }).compile();

    const car = module.get(Car);
    expect(module.get(Engine)).toBeInstanceOf(Diesel);
    expect(car).toMatchObject({ name: 'blue', engine: { power: 80 } });
    expect(car.engine).toBe(module.get(Engine));
    expect(module.get(Garage).contents).toEqual({ car, name: 'blue' });
    expect(module.get(Ticket)).toBeNull();
  });

  it('leaves defaults to the constructor', () => {
    const { useFactory, inject } = construct(Car, Engine);

    expect(inject).toEqual([Engine]);
    expect(useFactory(new Diesel(1))).toMatchObject({ name: 'unnamed' });
  });

  it('does not compile with other arguments than the constructor takes', () => {
    // @ts-expect-error a service of another class
    construct(Car, Ticket);
    // @ts-expect-error a value of another type
    construct(Car, Engine, power);
    // @ts-expect-error a dependency is missing
    construct(Garage, named({ car: Car }));
    // @ts-expect-error an argument is missing
    construct(Diesel);
    // @ts-expect-error Settings is not an Engine
    constructAs(Engine, Ticket);
    expect(construct(Ticket).provide).toBe(Ticket);
  });
});
