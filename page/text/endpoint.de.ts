import type { endpointTexts as endpointTextsEn } from './endpoint.en.js';
import type { Translation } from './translation.js';

export const endpointTexts: Translation<typeof endpointTextsEn> = {
  // Health
  failing: (time) => `Jede Anfrage seit ${time} ist fehlgeschlagen.`,
  share: (share) => `${share} des Wegs zur Abschaltung`,
  disables: (distance, time) =>
    `Der Endpunkt wird ${distance} (${time}) abgeschaltet, wenn bis dahin keine Anfrage gelingt.`,
  disablesSoon:
    'Der Endpunkt wird abgeschaltet, sobald noch einige Ereignisse fehlgeschlagen sind.',
  answered: (status) => `Der Endpunkt antwortete ${status}.`,
  lastAnswer: 'Letzte Antwort:',
  gone: (time) =>
    `Automatisch abgeschaltet am ${time}, weil der Endpunkt 410 (Gone) antwortete: Er möchte keine Webhooks mehr.`,
  failedTooLong: (time, since) =>
    `Automatisch abgeschaltet am ${time}, weil seit ${since} jede Anfrage fehlgeschlagen war.`,
  disabledBy: (time) => `Abgeschaltet am ${time} von`,
  steps: 'Was zu tun ist:',
  repair: (section) => `Reparieren Sie Ihren Server. „${section}“ sagt, wonach Sie suchen.`,
  press: (button) => `Klicken Sie auf „${button}“.`,
  sendMissed: (button) => `Klicken Sie auf „${button}“, um die Ereignisse seitdem zu erhalten.`,
  enabledBy: (time) => `Wieder eingeschaltet am ${time} von`,
  missed: 'Ereignisse aus der Zeit davor wurden nicht gesendet.',
  recovered: (time, count) =>
    count === '1'
      ? `Der Endpunkt arbeitet seit ${time} wieder. Davor war 1 Ereignis fehlgeschlagen.`
      : `Der Endpunkt arbeitet seit ${time} wieder. Davor waren ${count} Ereignisse fehlgeschlagen.`,
  line: (days) => `Verlauf der letzten ${days} Tage`,
  dayNone: 'keine Anfragen',
  dayGood: (attempts) => `${attempts} Anfragen, keine fehlgeschlagen`,
  dayBad: (attempts, failed) => `${attempts} Anfragen, ${failed} fehlgeschlagen`,
  badDays: (count) =>
    count === 0
      ? 'Kein Tag mit Fehlern'
      : count === 1
        ? '1 Tag mit Fehlern'
        : `${count} Tage mit Fehlern`,
  today: 'Heute',
  // Order
  holding:
    'Eine Zustellung ist fehlgeschlagen, und spätere Ereignisse desselben Objekts warten auf sie.',
  blocked: 'Ereignisse warten auf ein früheres desselben Objekts, das nicht angekommen ist.',
  showBlocking: 'Die Zustellung zeigen, auf die sie warten',
  // Rotation of the secret
  rotation: {
    hint: 'Legt ein neues Secret an, das einmal gezeigt wird.',
    old: 'Das alte Secret',
    keep: 'Eine Zeit lang behalten',
    keepHint: (until) =>
      `Anfragen werden bis ${until} mit beiden Secrets signiert. Tragen Sie bis dahin das neue in Ihren Server ein, dann geht kein Ereignis verloren.`,
    end: 'Sofort beenden',
    endHint:
      'Ihr Server lehnt Anfragen ab, bis er das neue Secret hat. Sie werden später erneut gesendet, wie nach jedem Fehler.',
    leaked: (button) =>
      `Ist das Secret in fremde Hände gelangt? Behalten Sie es für kurze Zeit, tragen Sie das neue in Ihren Server ein, und klicken Sie auf dieser Seite auf „${button}“.`,
    both: (until, button) =>
      `Tragen Sie es in Ihren Server ein. Anfragen werden bis ${until} mit beiden Secrets signiert. Hat Ihr Server das neue, klicken Sie auf der Seite des Endpunkts auf „${button}“, oder warten Sie.`,
    one: 'Tragen Sie es jetzt in Ihren Server ein. Bis dahin lehnt er Anfragen ab.',
    signs: (until) =>
      `Bis ${until} signiert auch das alte Secret. Sobald Ihr Server das neue hat, können Sie das alte beenden.`,
    endNow: 'Jetzt beenden',
    endTitle: 'Das alte Secret jetzt beenden?',
    endNowHint:
      'Anfragen werden von jetzt an nur noch mit dem neuen Secret signiert. Ein Server, der noch mit dem alten prüft, lehnt sie ab.',
    ended: 'Das alte Secret gilt nicht mehr. Anfragen werden nur noch mit dem neuen signiert.',
  },
  // Failures
  failures: 'Letzte Fehler',
  times: (count) => `${count} der letzten Zustellungen`,
  showLatest: 'Die letzte zeigen',
  advice: {
    '3xx':
      'Weiterleitungen werden nicht verfolgt. Geben Sie die URL ein, auf die der Server weiterleitet.',
    '4xx': 'Der Server lehnt die Anfrage ab. Seine Antwort sagt oft, warum.',
    '401':
      'Der Server fand keine gültige Signatur oder Anmeldung. Prüfen Sie, ob er mit dem aktuellen Secret prüft, und ob der Endpunkt die verlangten Zugangsdaten hat.',
    '403':
      'Eine Firewall oder eine Prüfung im Server lehnt die Anfrage ab. Lassen Sie POST-Anfragen zu.',
    '404': 'Unter diesem Pfad gibt es nichts. Prüfen Sie die URL.',
    '405': 'Der Server nimmt unter diesem Pfad keine POST-Anfragen an. Prüfen Sie die URL.',
    '410':
      'Der Status 410 bedeutet, dass der Endpunkt keine Webhooks mehr möchte. Er wird abgeschaltet.',
    '413': 'Der Inhalt ist größer, als der Server annimmt. Erhöhen Sie seine Grenze für Inhalte.',
    '429':
      'Der Server bittet um weniger Anfragen. Setzen Sie eine Ratenbegrenzung für den Endpunkt.',
    '5xx':
      'Im Server trat bei der Anfrage ein Fehler auf. Sehen Sie in seinem Protokoll nach, was zu dieser Zeit geschah.',
    '502': 'Ein Proxy vor dem Server bekam keine Antwort. Prüfen Sie, ob der Server läuft.',
    '503':
      'Der Server oder ein Proxy davor ist überlastet oder läuft nicht. Prüfen Sie, ob er läuft.',
    '504':
      'Ein Proxy vor dem Server bekam nicht rechtzeitig Antwort. Prüfen Sie, ob der Server läuft.',
    timeout:
      'Antworten Sie mit 200, sobald das Ereignis gespeichert ist, und erledigen Sie die Arbeit danach.',
    'connection-reset':
      'Der Server oder ein Proxy beendete die Verbindung. Prüfen Sie, ob er neu startet.',
    unreachable:
      'Prüfen Sie die URL, ob der Server läuft, und ob seine Firewall Anfragen dieser Anwendung zulässt.',
    tls: 'Prüfen Sie, ob das Zertifikat gültig ist, für diesen Host gilt und mit seiner Kette gesendet wird.',
    protocol: 'Prüfen Sie, ob an diesem Port ein Webserver läuft.',
    'oauth-token': 'Prüfen Sie die Token-URL, die Client-ID und das Client-Secret.',
    'too-large':
      'Senden Sie weniger Felder („Inhalt der Anfragen“ in den Einstellungen), oder lassen Sie den Endpunkt größere Inhalte annehmen.',
    other:
      'Ihr Server ist nicht schuld: Diese Anwendung konnte die Anfrage nicht senden. Nennen Sie ihrem Support die Kennung der Zustellung.',
  },
  // Changes
  changes: 'Änderungen',
  noChanges: 'Es sind keine Änderungen verzeichnet.',
  change: 'Änderung',
  by: 'Von',
  kinds: {
    created: 'Angelegt',
    changed: 'Geändert',
    removed: 'Gelöscht',
    failing: 'Schlägt fehl',
    disabled: 'Abgeschaltet',
    recovered: 'Arbeitet wieder',
    expired: 'Abgelaufen',
  },
  actors: {
    application: 'Die Anwendung',
    operator: 'Ein Betreiber',
    receiver: 'Der Endpunkt',
    worker: 'Automatisch',
  },
  fields: {
    enabled: 'Ein- oder abgeschaltet',
    secret: 'Secret',
    verification: 'Bestätigung',
    metadata: 'Metadaten',
    digest: 'Hash des Headers Hook-HMAC',
  },
};
