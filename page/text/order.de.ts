import type { order as orderEn } from './order.en.js';
import type { Translation } from './translation.js';

export const order: Translation<typeof orderEn> = {
  title: 'Reihenfolge',
  ordered: 'Der Reihe nach zustellen',
  orderedHint:
    'Ereignisse zum selben Gegenstand kommen nacheinander an, so wie er sich geändert hat. Scheitert eines, warten die späteren, bis es angekommen ist. Andere Gegenstände betrifft das nicht.',
  onExhausted: 'Wenn alle Versuche gescheitert sind',
  skip: 'Mit dem nächsten Ereignis weitermachen',
  skipHint: 'Das gescheiterte Ereignis wird ausgelassen.',
  hold: 'Anhalten, die übrigen warten',
  holdHint: 'Bis die Zustellung wiederholt wird und ankommt oder abgebrochen wird.',
  holdFor: 'Anhalten für',
  holdForHint: 'Dann folgt das nächste Ereignis. Leer: ohne Ende.',
  holdForInvalid: 'Eine Zahl über 0, höchstens 14 Tage. Leer: ohne Ende.',
  unit: 'Einheit',
  seconds: 'Sekunden',
  minutes: 'Minuten',
  hours: 'Stunden',
  days: 'Tage',
  blocked: 'Wartet der Reihe nach',
  blockedHint: 'Nach einem früheren Ereignis zum selben Gegenstand',
  holding: 'Hält die folgenden auf',
  skips: 'Nacheinander; macht weiter, wenn alle Versuche gescheitert sind',
  holds: 'Nacheinander; hält an, wenn alle Versuche gescheitert sind',
  holdsFor: (time) =>
    `Nacheinander; hält an, wenn alle Versuche gescheitert sind, höchstens ${time}`,
};
