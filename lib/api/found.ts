import { NotFoundException } from '@nestjs/common';

/**
 * The value, or the answer to an id that is not within the caller's scope: the same whether there is no such thing or it
 * is another owner's.
 *
 * @param what for example `subscriber`
 */
export function found<Value>(value: Value | null | undefined, what = 'subscriber'): Value {
  if (value !== null && value !== undefined) return value;
  throw new NotFoundException(`There is no ${what} with this ${what === 'event' ? 'name' : 'id'}`);
}
