import type {
  fields as fieldsEn,
  limits as limitsEn,
  problems as problemsEn,
  refusals as refusalsEn,
} from './problems.en.js';
import type { Translation } from './translation.js';

export const problems: Translation<typeof problemsEn> = {
  forbidden: 'Dafür haben Sie keine Berechtigung.',
  'endpoint-unverified': 'Der Endpunkt hat noch nicht bestätigt, dass er Webhooks annimmt.',
  'delivery-under-way':
    'Ein Versuch dieser Zustellung läuft gerade. Versuchen Sie es gleich noch einmal.',
  'delivery-resent':
    'Sie wurde in der letzten Minute schon gesendet. Versuchen Sie es in einer Minute noch einmal.',
  'delivery-finished': 'Diese Zustellung ist abgeschlossen und kann nicht abgebrochen werden.',
  'message-expunged': 'Der Inhalt ist nicht mehr gespeichert und kann nicht gesendet werden.',
  'subscriber-disabled': 'Der Endpunkt ist abgeschaltet, abgelaufen oder wurde entfernt.',
  'request-under-way': 'Ihre frühere Anfrage läuft noch. Versuchen Sie es gleich noch einmal.',
  'no-encryption-key':
    'Es gibt keinen Schlüssel zum Verschlüsseln. Setzen Sie einen in den Optionen der Anwendung.',
  'precondition-failed':
    'Jemand hat den Endpunkt inzwischen geändert. Laden Sie die Seite neu, und versuchen Sie es erneut.',
  'body-too-large': 'Der Text ist zu lang.',
  'idempotency-key-reused':
    'Dies wurde bereits gespeichert, mit den Werten, die Sie zuerst eingegeben hatten.',
  'no-delivery-log': 'Zustellungen werden hier nicht aufgezeichnet.',
  unavailable: 'Das ist zurzeit nicht möglich. Versuchen Sie es später noch einmal.',
};

export const limits: Translation<typeof limitsEn> = {
  'subscriber-limit': (count) =>
    `Sie haben ${count} Endpunkte, mehr sind nicht möglich. Ändern oder löschen Sie einen davon.`,
  fault: (time) =>
    `Der Server hatte am ${time} einen Fehler. Versuchen Sie es erneut. Tritt der Fehler wieder auf, nennen Sie dem Support dieser Anwendung diese Zeit.`,
  tooMany: (seconds) => `Zu viele Anfragen: In ${seconds} s ist es wieder möglich.`,
};

export const refusals: Translation<typeof refusalsEn> = {
  invalid: () => 'Dieser Wert ist hier nicht möglich.',
  required: () => 'Geben Sie einen Wert ein.',
  'unknown-field': () => 'Die Anwendung kennt dieses Feld nicht.',
  length: ({ min, max }) => `Geben Sie ${min} bis ${max} Zeichen ein.`,
  'too-long': ({ max }) => `Geben Sie höchstens ${max} Zeichen ein.`,
  'too-deep': ({ max }) => `Verwenden Sie höchstens ${max} Ebenen.`,
  'too-many': ({ max }) => `Geben Sie höchstens ${max} ein.`,
  repeated: ({ pattern }) => `${pattern} steht zweimal in der Liste.`,
  'control-characters': () => 'Entfernen Sie unsichtbare Zeichen.',
  'not-a-time': () => 'Geben Sie eine Zeit ein.',
  'not-in-the-past': () => 'Wählen Sie eine Zeit in der Vergangenheit.',
  'not-in-the-future': () => 'Wählen Sie eine Zeit in der Zukunft.',
  'not-after-since': () => 'Das Ende muss nach dem Anfang liegen.',
  protocol: ({ protocols }) =>
    protocols === 'https'
      ? 'Sie muss mit https:// beginnen.'
      : 'Sie muss mit https:// oder http:// und einem Host beginnen.',
  port: ({ port, allowed }) =>
    allowed === undefined
      ? `Port ${port} ist nicht für Webhooks.`
      : `Port ${port} ist nicht erlaubt. Erlaubt sind ${allowed}.`,
  credentials: () => 'Entfernen Sie Benutzernamen und Passwort.',
  'malformed-url': () => 'Das ist keine URL.',
  'forbidden-character': () => 'Entfernen Sie Leerzeichen, Backslashes und unsichtbare Zeichen.',
  'host-limit': ({ limit }) =>
    `Sie haben ${limit} Endpunkte auf diesem Host, mehr sind nicht möglich. Ändern oder löschen Sie einen davon.`,
  'malformed-pattern': () =>
    'Namen von Ereignissen oder Muster wie article.*: Buchstaben, Ziffern, _ und - zwischen Punkten, oder * für einen ganzen Teil.',
  'too-many-segments': ({ max }) => `Höchstens ${max} Teile zwischen Punkten.`,
  'unknown-event': ({ pattern }) => `Es gibt kein Ereignis ${pattern}.`,
  'hidden-event': ({ pattern }) => `${pattern} kann hier nicht gewählt werden.`,
  'malformed-template': ({ position }) =>
    `Die Vorlage hat einen Fehler bei Zeichen ${position}: {{ und }} müssen einen Pfad wie data.title umschließen.`,
  'not-json': () => 'Die Vorlage ist kein gültiges JSON.',
  'not-offered': () => 'Diese Anwendung bietet das nicht an.',
  excluded: ({ by }) => `Das ist nicht zusammen mit ${by} möglich.`,
  'no-changes': ({ events }) =>
    `Diese Ereignisse sagen nicht, welche Felder sich geändert haben: ${events}. Lassen Sie sie weg.`,
  'reserved-header': ({ header }) =>
    `${header} wird bei jeder Anfrage gesetzt und kann nicht ersetzt werden.`,
  'header-value': ({ header }) =>
    `Geben Sie einen Wert für ${header} ein: Buchstaben ohne Umlaute, Ziffern und Zeichen, ohne Leerzeichen am Anfang und am Ende.`,
  'other-origin': () =>
    'Die URL führt zu einem anderen Server: Geben Sie diese Werte erneut ein, oder entfernen Sie sie.',
  empty: () => 'Die Bedingung ist leer.',
  'unknown-path': ({ path }) => `Die Daten dieser Ereignisse haben kein Feld ${path}.`,
  'unknown-operator': ({ path, meant }) =>
    meant === undefined
      ? `${path} ist hier kein Vergleich.`
      : `${path} ist kein Vergleich. Meinten Sie ${meant}?`,
  'wrong-value': ({ path }) =>
    path === ''
      ? 'Diese Bedingung kann nicht verwendet werden.'
      : `${path} hat einen Wert, mit dem nicht verglichen werden kann.`,
  'never-holds': ({ path }) => `${path} kann nie zutreffen: Das Feld hat Werte anderer Art.`,
  transition: () =>
    'Ein Vergleich mit dem Wert vor der Änderung, etwa nowEq, ist hier nicht möglich.',
  'unchecked-paths': ({ paths }) =>
    `Ob die Ereignisse das Feld ${paths} haben, kann nicht geprüft werden. Ein Feld, das fehlt, hat keinen Wert.`,
  'too-high': ({ max }) => `Höchstens ${max} in einer Minute.`,
  'in-use': () => 'Dieses Secret wird bereits verwendet.',
  'rotated-too-often': ({ max, next }) =>
    `Es signieren bereits ${max} Secrets. Eines endet ${next}: Warten Sie bis dahin, oder behalten Sie die alten Secrets nicht.`,
};

export const fields: Translation<typeof fieldsEn> = {
  url: 'An diese Adresse können keine Webhooks gesendet werden. Geben Sie eine Adresse ein, die aus dem Internet erreichbar ist.',
  filter: 'Diese Bedingung kann nicht verwendet werden.',
  changed: 'Geben Sie Namen von Feldern ein, höchstens 50, oder lassen Sie das Feld leer.',
  rateLimit: 'Geben Sie eine ganze Zahl von 1 bis 1.000.000 ein.',
  headers:
    'Geben Sie einen Namen wie X-Api-Key ein, aus bis zu 128 Buchstaben, Ziffern und Bindestrichen.',
  timeout: 'Geben Sie eine Zahl von 1 bis 30 ein, oder lassen Sie das Feld leer.',
  token: 'Geben Sie Buchstaben ohne Umlaute, Ziffern und Zeichen ein, ohne Leerzeichen.',
  username: 'Geben Sie einen Text in einer Zeile ein, ohne Doppelpunkt.',
  password: 'Geben Sie einen Text in einer Zeile ein.',
  tokenUrl:
    'Von dieser Adresse können keine Tokens geholt werden. Geben Sie eine Adresse ein, die erreichbar ist.',
  clientId: 'Geben Sie einen Text in einer Zeile ein.',
  clientSecret: 'Geben Sie einen Text in einer Zeile ein.',
  scope: 'Geben Sie Namen mit je einem Leerzeichen dazwischen ein.',
  fields: 'Geben Sie Namen von Feldern ein, höchstens 50.',
  holdFor: 'Geben Sie eine Zahl über 0 und höchstens 14 Tage ein, oder lassen Sie das Feld leer.',
  host: 'Geben Sie einen Host wie in einer URL ein, mit seinem Port.',
  id: 'Das ist keine Kennung.',
};

export const otherRefusal = (reason: string) => `Das wird nicht angenommen („${reason}“).`;
