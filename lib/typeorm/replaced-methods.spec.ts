import type { DataSource } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { replaceMethods } from './replaced-methods.js';

class Base {
  constructor(readonly dataSource: DataSource) {}
  save(text: string): string {
    return text;
  }
}
class Derived extends Base {}

const [one, other] = [{} as DataSource, {} as DataSource];
const around =
  (sign: string) =>
  ({ proceed }: { readonly proceed: () => string }) =>
    sign + proceed();

describe('replaced methods', () => {
  it('are those of the class that has them, for the objects of one data source', () => {
    const original = Base.prototype.save;
    const end = replaceMethods(one, new Derived(one), ['save'], around('a'));
    expect([new Base(one).save('x'), new Derived(one).save('x')]).toEqual(['ax', 'ax']);
    expect(new Derived(other).save('x')).toBe('x');
    expect(Object.hasOwn(Derived.prototype, 'save')).toBe(false);
    end();
    expect(Base.prototype.save).toBe(original);
  });

  it('run what came last around what came before, and are put back with the last', () => {
    const original = Base.prototype.save;
    const ends = ['a', 'b'].map((sign) =>
      replaceMethods(one, new Base(one), ['save'], around(sign)),
    );
    const endOther = replaceMethods(other, new Base(other), ['save'], around('c'));
    expect([new Base(one).save('x'), new Base(other).save('x')]).toEqual(['bax', 'cx']);
    ends[0]!();
    expect(new Base(one).save('x')).toBe('bx');
    ends[1]!();
    expect([new Base(one).save('x'), new Base(other).save('x')]).toEqual(['x', 'cx']);
    endOther();
    expect(Base.prototype.save).toBe(original);
  });

  it('leave what somebody else has put in their place', () => {
    const original = Base.prototype.save;
    const end = replaceMethods(one, new Base(one), ['save'], around('a'));
    const ours = Base.prototype.save;
    const theirs = function (this: Base, text: string) {
      return `${ours.call(this, text)}!`;
    };
    Base.prototype.save = theirs;
    end();
    expect(Base.prototype.save).toBe(theirs);
    expect(new Base(one).save('x')).toBe('x!');
    Base.prototype.save = original;
  });

  it('are refused where TypeORM has none of the name, and none is replaced', () => {
    expect(() => replaceMethods(one, new Base(one), ['save', 'recover'], around('a'))).toThrow(
      expect.objectContaining({
        code: 'THORN_TYPEORM_UNSUPPORTED',
        message: expect.stringMatching(
          /^TypeORM \d+\.\d+\.\d+ has no Base\.recover\(\), .* Install TypeORM \^0\.3\.28 \|\| \^1\.0\.0\.$/,
        ) as string,
      }),
    );
    expect(new Base(one).save('x')).toBe('x');
  });
});
