import type { health as healthEn } from './health.en.js';
import type { Translation } from './translation.js';

export const health: Translation<typeof healthEn> = {
  failing: (count) => (count === '1' ? '1 schlägt fehl' : `${count} schlagen fehl`),
  disabled: (count) => `${count} abgeschaltet`,
  since: (time) => `seit ${time}`,
  failingNote: (time) =>
    `Jeder Versuch seit ${time} ist fehlgeschlagen. Prüfen Sie, ob der Endpunkt da ist und mit einem Status von 200 bis 299 antwortet.`,
  messages: (count) =>
    count === '1'
      ? '1 Ereignis ist seitdem fehlgeschlagen.'
      : `${count} Ereignisse sind seitdem fehlgeschlagen.`,
  pause: {
    operator: 'Das Senden an diesen Endpunkt ist angehalten. Was zu senden ist, wartet.',
    'retry-after': 'Der Endpunkt hat um eine Pause gebeten.',
    breaker: 'Der Endpunkt schlägt so oft fehl, dass er nur ab und zu versucht wird.',
  },
  until: (time) => `Was zu senden ist, wartet. Der nächste Versuch ist ${time}.`,
  failedAttempts: 'Fehlgeschlagene Versuche',
};
