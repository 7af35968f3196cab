import type { LookupAddress } from 'node:dns';
import { Logger } from '@nestjs/common';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { RecipientRefusedError } from '../../errors/index.js';
import { PublicRecipientPolicy } from './public-recipient-policy.js';
import { checkResolvedAddresses } from './resolved-addresses.js';
import type { AddressLookup } from './system-lookup.js';

const answering =
  (...addresses: string[]): AddressLookup =>
  (_name, _options, callback) => {
    callback(
      null,
      addresses.map((address) => ({ address, family: 4 }) satisfies LookupAddress),
    );
  };
const check = (url: string, lookup: AddressLookup) =>
  checkResolvedAddresses(new URL(url), new PublicRecipientPolicy(), lookup);

afterEach(() => vi.restoreAllMocks());

describe('a recipient that is about to be saved', () => {
  it('passes when every address of its name is public', async () => {
    await expect(
      check('https://example.com', answering('93.184.216.34', '2606:4700::1')),
    ).resolves.toBeUndefined();
  });

  it.each([['10.0.0.1'], ['93.184.216.34', '127.0.0.1'], ['169.254.169.254'], ['::1']])(
    'is refused when its name resolves to %s, and only the log says why',
    async (...addresses) => {
      const warned = vi.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);

      const outcome = check('https://example.com/?token=s3cret', answering(...addresses));

      await expect(outcome).rejects.toMatchObject({ reason: 'unreachable' });
      const refusal = await outcome.catch((error: RecipientRefusedError) => error);
      const shown = JSON.stringify([refusal?.message, refusal?.data, refusal?.cause]);
      for (const address of addresses) expect(shown).not.toContain(address);
      expect(warned).toHaveBeenCalledExactlyOnceWith(
        expect.stringMatching(/example\.com.* is .*address/),
      );
      expect(warned).not.toHaveBeenCalledWith(expect.stringContaining('s3cret'));
    },
  );

  it('passes when its name does not resolve yet', async () => {
    const failing: AddressLookup = (_name, _options, callback) => {
      callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), []);
    };

    await expect(check('https://example.com', failing)).resolves.toBeUndefined();
  });

  it('is judged, or passes, whatever the manners of the resolver', async () => {
    const casual: AddressLookup = (_name, _options, callback) => {
      callback(undefined as unknown as null, [{ address: '10.0.0.1', family: 4 }]);
    };
    const throwing: AddressLookup = () => {
      throw new Error('no such name');
    };
    vi.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);

    await expect(check('https://example.com', casual)).rejects.toMatchObject({
      reason: 'unreachable',
    });
    await expect(check('https://example.com', throwing)).resolves.toBeUndefined();
  });

  it('is not looked up when it is an address', async () => {
    const never: AddressLookup = () => expect.unreachable('an address was looked up');

    await expect(check('https://93.184.216.34', never)).resolves.toBeUndefined();
    await expect(check('https://[2606:4700::1]', never)).resolves.toBeUndefined();
  });
});
