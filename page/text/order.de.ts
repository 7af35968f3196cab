import type { order as orderEn } from './order.en.js';
import type { Translation } from './translation.js';

export const order: Translation<typeof orderEn> = {
  title: 'Reihenfolge',
  ordered: 'Der Reihe nach zustellen',
  orderedHint:
    'Ereignisse zum selben Objekt kommen nacheinander an, in der Reihenfolge seiner Änderungen. Scheitert ein Ereignis, warten die späteren zu diesem Objekt, bis es angekommen ist. Andere Objekte betrifft das nicht.',
  onExhausted: 'Wenn alle Versuche gescheitert sind',
  skip: 'Mit dem nächsten Ereignis fortfahren',
  skipHint: 'Das gescheiterte Ereignis wird ausgelassen.',
  hold: 'Anhalten und spätere Ereignisse warten lassen',
  holdHint: 'Bis Sie die Zustellung erneut senden und sie ankommt, oder bis Sie sie abbrechen.',
  holdFor: 'Höchstens warten',
  holdForHint:
    'Danach wird das nächste Ereignis gesendet. Lassen Sie das Feld leer, um ohne Grenze zu warten.',
  holdForInvalid:
    'Geben Sie eine Zahl über 0 und höchstens 14 Tage ein, oder lassen Sie das Feld leer.',
  unit: 'Einheit',
  seconds: 'Sekunden',
  minutes: 'Minuten',
  hours: 'Stunden',
  days: 'Tage',
  blocked: 'Wartet auf ein früheres Ereignis',
  blockedHint: 'Nach einem früheren Ereignis zum selben Objekt',
  holding: 'Spätere Ereignisse warten darauf',
  skips: 'Nacheinander; fährt fort, wenn alle Versuche gescheitert sind',
  holds: 'Nacheinander; hält an, wenn alle Versuche gescheitert sind',
  holdsFor: (time) =>
    `Nacheinander; hält an, wenn alle Versuche gescheitert sind, höchstens ${time}`,
};
