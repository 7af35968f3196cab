import { describe, expect, it } from 'vitest';
import { type AttemptErrorCode, ownerReason, ownerView } from './attempt.js';

const failed = (code: AttemptErrorCode, message: string, duration = 3) => ({
  startedAt: 1_000,
  duration,
  status: null,
  error: { code, message },
  response: '',
  answerHeaders: null,
  address: '10.1.2.3',
  number: 1,
});

describe('what the owner of an endpoint sees of an attempt', () => {
  it('is the same whether the endpoint was blocked, refused, unreachable or unknown', () => {
    const views = [
      failed('recipient-refused', 'The recipient is refused: 10.1.2.3 is a private address', 1),
      failed('connection-refused', 'The endpoint refused the connection (ECONNREFUSED).', 20),
      failed('unreachable', 'The endpoint could not be reached (EHOSTUNREACH).', 3000),
      failed('name-not-resolved', 'The name could not be resolved (ENOTFOUND).', 40),
      failed('proxy', 'The egress proxy could not be used (ECONNREFUSED).', 2),
    ].map(ownerView);

    for (const view of views) {
      expect(view).toEqual({
        startedAt: 1_000,
        duration: null,
        status: null,
        error: { code: 'unreachable', message: 'The endpoint could not be reached.' },
        response: '',
        answerHeaders: null,
      });
    }
  });

  it('names the fault of a certificate, which its owner can mend', () => {
    const attempt = failed('tls', 'No trusted TLS connection could be made (CERT_HAS_EXPIRED).');

    expect(ownerView(attempt)).toMatchObject({
      duration: 3,
      error: {
        code: 'tls',
        message: 'No trusted TLS connection could be made (CERT_HAS_EXPIRED).',
      },
    });
  });

  it.each<[AttemptErrorCode, string]>([
    ['internal', 'Error: connect 10.1.2.3:5432 from /srv/app'],
    ['unencodable', 'The message could not be encoded: row 17 of customer 4711'],
    ['timeout', 'waited for 10.1.2.3'],
    ['tls', 'no certificate for 10.1.2.3'],
    ['of-a-later-version' as AttemptErrorCode, 'dialled 10.1.2.3'],
  ])('tells of %s in words that are fixed', (code, message) => {
    expect(JSON.stringify(ownerView(failed(code, message)))).not.toMatch(/10\.1\.2\.3|4711|srv/);
  });

  it('is an answer as it came, without the address', () => {
    const answered = {
      ...failed('tls', ''),
      status: 500,
      error: null,
      response: Buffer.from('no'),
      answerHeaders: { server: 'x' },
    };

    expect(ownerView(answered)).toEqual({
      startedAt: 1_000,
      duration: 3,
      status: 500,
      error: null,
      response: Buffer.from('no'),
      answerHeaders: { server: 'x' },
    });
  });

  it('is of a delivery that was refused what it is of one whose attempts are used up', () => {
    expect(ownerReason('refused')).toBe('exhausted');
    for (const reason of ['exhausted', 'gone', 'disabled', 'cancelled', null] as const) {
      expect(ownerReason(reason)).toBe(reason);
    }
  });
});
