import { describe, expect, it } from 'vitest';
import { PublicRecipientPolicy } from '../../lib/delivery/index.js';
import { LOOPBACK_RECIPIENTS } from '../../lib/testing/index.js';
import { recipientPolicyConformance } from './recipient-policy.js';

const runner = { describe, it, expect };
const privateAddresses = ['10.1.2.3', '172.16.0.1', '192.168.1.1', '169.254.169.254', 'fd00::1'];

recipientPolicyConformance(
  {
    name: 'PublicRecipientPolicy',
    makePolicy: () => new PublicRecipientPolicy(),
    allowed: {
      urls: [
        'https://example.com/hooks?a=1#part',
        'http://example.com',
        'https://ÜBER.example/',
        'https://93.184.215.14/',
        'https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/',
      ],
      addresses: ['93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c'],
    },
    refused: {
      urls: [
        'ftp://example.com/',
        'https://example.com:8443/',
        'https://user:password@example.com/',
        'http://localhost/',
        'http://127.0.0.1/',
        'http://2130706433/',
        'http://0x7f.1/',
        'http://[::1]/',
        'http://[::ffff:10.0.0.1]/',
        'http://169.254.169.254/latest/meta-data/',
        `https://example.com/${'a'.repeat(2048)}`,
      ],
      addresses: ['127.0.0.1', '0.0.0.0', '::1', '::', ...privateAddresses],
    },
  },
  runner,
);
recipientPolicyConformance(
  {
    name: 'PublicRecipientPolicy for receivers on loopback',
    makePolicy: () => new PublicRecipientPolicy(LOOPBACK_RECIPIENTS),
    allowed: {
      urls: ['http://127.0.0.1:8080/hooks', 'http://localhost:3000/', 'http://[::1]:8080/'],
      addresses: ['127.0.0.1', '::1'],
    },
    refused: {
      urls: ['http://127.0.0.2:8080/', 'http://127.0.0.1:22/', 'http://10.1.2.3/'],
      addresses: ['127.0.0.2', ...privateAddresses],
    },
  },
  runner,
);
