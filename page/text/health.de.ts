import type { health as healthEn } from './health.en.js';
import type { Translation } from './translation.js';

export const health: Translation<typeof healthEn> = {
  failing: (count) => (count === '1' ? '1 schlägt fehl' : `${count} schlagen fehl`),
  disabled: (count) => `${count} abgeschaltet`,
  since: (time) => `jeder Versuch seit ${time}`,
  failingNote: (time) =>
    `Jeder Versuch seit ${time} ist fehlgeschlagen. Prüfen Sie, ob Ihr Server läuft und mit einem Status von 200 bis 299 antwortet.`,
  messages: (count) =>
    count === '1'
      ? '1 Ereignis ist seitdem fehlgeschlagen.'
      : `${count} Ereignisse sind seitdem fehlgeschlagen.`,
  pause: {
    operator: 'Das Senden an diesen Endpunkt ist angehalten. Seine Ereignisse warten.',
    'retry-after': 'Der Endpunkt bat um eine Pause.',
    breaker: 'Der Endpunkt schlägt so oft fehl, dass nur wenige Anfragen versucht werden.',
  },
  until: (time) => `Seine Ereignisse warten. Der nächste Versuch ist ${time}.`,
  failedAttempts: 'Fehlgeschlagene Versuche',
  unstable: 'Instabil',
  disables: (time) => `Wird am ${time} abgeschaltet, wenn bis dahin keine Anfrage gelingt`,
};
