import type {
  limits as limitsEn,
  problems as problemsEn,
  refusals as refusalsEn,
} from './problems.en.js';
import type { Translation } from './translation.js';

export const problems: Translation<typeof problemsEn> = {
  forbidden: 'Sie dürfen dies nicht tun.',
  'endpoint-unverified': 'Der Endpunkt hat noch nicht bestätigt, dass er Webhooks möchte.',
  'delivery-under-way':
    'Ein Versuch dieser Zustellung läuft gerade. Versuchen Sie es gleich noch einmal.',
  'delivery-finished': 'Diese Zustellung ist abgeschlossen: es gibt nichts mehr abzubrechen.',
  'message-expunged': 'Der Inhalt wurde nach seiner Zeit entfernt: es gibt nichts mehr zu senden.',
  'subscriber-disabled': 'Der Endpunkt ist abgeschaltet oder wurde entfernt.',
  'request-under-way': 'Dies geschieht bereits. Versuchen Sie es gleich noch einmal.',
  'no-encryption-key':
    'Es gibt keinen Schlüssel zum Versiegeln: die Optionen der Anwendung nennen keinen.',
  'precondition-failed': 'Der Endpunkt wurde inzwischen geändert.',
  'body-too-large': 'Das ist zu lang.',
  'idempotency-key-reused': 'Dies ist bereits geschehen, mit Ihren ersten Eingaben.',
  'no-delivery-log': 'Zustellungen werden hier nicht aufgezeichnet.',
  unavailable: 'Das ist zurzeit nicht möglich. Versuchen Sie es später noch einmal.',
  'internal-error': 'Das hat nicht geklappt. Versuchen Sie es später noch einmal.',
};

export const limits: Translation<typeof limitsEn> = {
  'subscriber-limit': (count) =>
    `Es gibt bereits ${count} Endpunkte, mehr sind nicht möglich. Ändern oder löschen Sie einen davon.`,
  'host-limit': (count) =>
    `Es gibt bereits ${count} Endpunkte dieses Hosts, mehr sind nicht möglich. Ändern oder löschen Sie einen davon.`,
  tooMany: (seconds) => `Zu viele Anfragen: in ${seconds} s ist es wieder möglich.`,
};

export const refusals: Translation<typeof refusalsEn> = {
  length: (least, most) => `${least} bis ${most} Zeichen.`,
  signs: () => 'Ohne unsichtbare Zeichen.',
  blanks: () => 'Ohne Leerzeichen, Backslashes und unsichtbare Zeichen.',
  tooLong: (most) => `Höchstens ${most} Zeichen.`,
  https: () => 'Sie muss mit https:// beginnen.',
  http: () => 'Sie muss mit https:// oder http:// und einem Host beginnen.',
  credentials: () => 'Ohne Benutzernamen und Passwort.',
  malformed: () => 'Das ist keine URL.',
  otherProtocol: (port) => `Port ${port} ist nicht für Webhooks.`,
  port: (port, allowed) => `Port ${port} ist nicht erlaubt. Erlaubt sind ${allowed}.`,
  pattern: () =>
    'Namen von Ereignissen oder Muster wie article.*: Buchstaben, Ziffern, _ und - zwischen Punkten, oder * für einen ganzen Teil.',
  patternCount: (most) => `Höchstens ${most} Muster.`,
  atMost: (most) => `Höchstens ${most} Zeichen.`,
  segments: (most) => `Höchstens ${most} Teile zwischen Punkten.`,
  noEvent: (name) => `Es gibt kein Ereignis ${name}.`,
  hiddenEvent: (name) => `${name} kann hier nicht gewählt werden.`,
  repeated: (name) => `${name} kommt zweimal vor.`,
  noField: (name) => `Die Daten dieser Ereignisse haben kein Feld ${name}.`,
  meant: (name, meant) => `${name} ist kein Vergleich. Meinten Sie ${meant}?`,
  noOperator: (name) => `${name} ist hier kein Vergleich.`,
  neverHolds: (name) => `${name} kann nie zutreffen: das Feld hat Werte anderer Art.`,
  noValue: (name) => `${name} hat einen Wert, mit dem nicht verglichen werden kann.`,
  filterEmpty: () => 'Die Bedingung ist leer.',
  transition: (name) => `Vergleiche mit der Zeit davor, wie ${name}, sind hier nicht möglich.`,
  tooDeep: (most) => `Höchstens ${most} Ebenen.`,
  filter: () => 'Diese Bedingung kann nicht verwendet werden.',
  address: () =>
    'An diese Adresse können keine Webhooks gesendet werden. Sie muss aus dem Internet erreichbar sein.',
  rateCeiling: (most) => `Höchstens ${most} in einer Minute.`,
  rateLimit: () => 'Eine ganze Zahl von 1 bis 1.000.000.',
  holdFor: () => 'Eine Zahl über 0, höchstens 14 Tage. Leer: ohne Ende.',
  rotations: (count, next) =>
    `Es signieren bereits ${count} Geheimnisse. Eines endet ${next}: warten Sie bis dahin, oder lassen Sie die alten gar nicht mehr signieren.`,
  noTest: () => 'Ein solches Ereignis gibt es nicht.',
  id: () => 'Das ist keine Kennung.',
  host: () => 'Ein Host wie in URLs, mit seinem Port.',
  past: () => 'Eine Zeit in der Vergangenheit.',
  order: () => 'Das Ende muss nach dem Anfang liegen.',
  moment: () => 'Das ist keine Zeit.',
};

export const otherRefusal = (reason: string) => `Das wird nicht angenommen („${reason}“).`;

export const uncheckedFields = (fields: string) =>
  `Ob die Ereignisse das Feld ${fields} haben, kann nicht geprüft werden. Ein Feld, das fehlt, hat keinen Wert.`;
