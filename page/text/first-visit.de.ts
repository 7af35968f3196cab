import type { firstVisit as en } from './first-visit.en.js';
import type { Translation } from './translation.js';

export const firstVisit: Translation<typeof en> = {
  almost: 'Zwei Schritte bis zum ersten Webhook',
  add: 'Einen Endpunkt anlegen',
  addHint:
    'Geben Sie die URL Ihres Servers ein, wählen Sie Ereignisse, und kopieren Sie das Secret.',
  noServer: 'Noch kein Server?',
  listenHint:
    'Dieser Befehl empfängt Webhooks auf Ihrem eigenen Rechner. Er zeigt jeden und antwortet mit Erfolg.',
  terminal: 'In einem Terminal, mit Node.js',
  listenUrl:
    'Geben Sie dann die URL ein, unter der Ihr Rechner erreichbar ist, zum Beispiel die eines Tunnels zum Port 4000.',
  test: 'Einen Test senden',
  testHint: 'Die Seite des Endpunkts sendet ein Beispiel und zeigt die Antwort Ihres Servers.',
  arrive: 'Die Ankunft sehen',
  arriveHint:
    'Von da an wird jedes Ereignis gesendet, sobald es geschieht. „Zustellungen“ zeigt, was gesendet wurde, was Ihr Server geantwortet hat, und wann der nächste Versuch ist.',
};
