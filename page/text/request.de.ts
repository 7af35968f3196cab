import type { Translation } from './translation.js';
import type { request as requestEn, SignatureTexts } from './request.en.js';

export const request: Translation<typeof requestEn> = {
  binary: 'Diese Bytes sind kein Text: sie sind als Base64 gezeigt.',
  verify: 'Diese Signatur prüfen',
  sameAnswer: (before) => `Dieselbe Antwort wie bei Versuch ${before}`,
  changed: (parts) => `Anders als beim Versuch davor: ${parts}`,
  changes: { status: 'Status', error: 'Grund', body: 'Inhalt', headers: 'Kopfzeilen' },
  answerHeaders: 'Kopfzeilen der Antwort',
  missing: {
    expunged: 'Der Inhalt ist nicht mehr gespeichert.',
    unreadable: 'Das Ereignis kann gerade nicht gelesen werden.',
    'subscriber-removed': 'Der Endpunkt wurde entfernt.',
    'subscriber-changed':
      'Der Endpunkt wurde seitdem geändert: was vorher gesendet wurde, ist nicht bekannt.',
    'in-settings':
      'Dieser Endpunkt steht in den Einstellungen der Anwendung, die sich geändert haben können.',
  },
  why: 'Warum passt meine Signatur nicht?',
  whyHint:
    'Vergleicht, was gesendet wurde, mit dem, was Ihr Programm sah. Alles wird in diesem Browser berechnet: nichts, was Sie hier einfügen, wird gesendet.',
  secretHint: 'So, wie Ihr Programm es hat, auch mit Leerzeichen und Anführungszeichen.',
  seenHeaders: 'Kopfzeilen, die Ihr Programm sah',
  seenHeadersHint: 'Eine je Zeile, etwa webhook-id: msg_…. An ihnen wird das Geheimnis geprüft.',
  seenBody: 'Inhalt, den Ihr Programm sah',
  seenBodyHint: 'Der Text, bevor er gelesen (geparst) wird. Leer: kein Vergleich.',
  computedField: 'Signatur, die Ihr Programm berechnet',
  computedHint: 'Falls Sie sie haben: übliche Fehler werden versucht, bis einer dorthin führt.',
  compare: 'Vergleichen',
  noCrypto: 'Dieser Browser kann dies nur auf Seiten mit https.',
  nothing: 'Fügen Sie zuerst das Geheimnis, die Kopfzeilen oder den Inhalt ein.',
};

export const signature: SignatureTexts = {
  headerMissing: (name) =>
    `Die Kopfzeile ${name} fehlt. Ein Proxy oder ein Framework dazwischen hat sie vielleicht entfernt.`,
  headersComplete: 'Die Kopfzeilen der Signatur sind alle da.',
  'webhook-id':
    'webhook-id ist die eines anderen Ereignisses: diese Kopfzeilen gehören zu einer anderen Anfrage.',
  bodySame: 'Der Inhalt ist der gesendete.',
  bodyEnds:
    'Der Inhalt hat am Anfang oder Ende andere Leerzeichen oder Zeilenumbrüche. Prüfen Sie die Bytes, wie sie kamen.',
  bodyWrittenAnew:
    'Der Inhalt hat dieselben Daten, ist aber anders geschrieben: er wurde gelesen und neu geschrieben. Prüfen Sie die Bytes, wie sie kamen, bevor sie gelesen werden.',
  bodyBlanks:
    'Der Inhalt hat andere Leerzeichen oder Zeilenumbrüche. Prüfen Sie die Bytes, wie sie kamen.',
  bodyCharset:
    'Der Inhalt wurde in einem anderen Zeichensatz gelesen. Er ist UTF-8: prüfen Sie seine Bytes.',
  bodyCut: (seen, sent) =>
    `Der Inhalt ist abgeschnitten: ${seen} von ${sent} Zeichen. Suchen Sie nach einer Grenze in Ihrem Framework.`,
  bodyDiffers: (at) =>
    `Der Inhalt ist ein anderer: er weicht ab Zeichen ${at} ab. Etwas hat ihn unterwegs geändert, oder er gehört zu einer anderen Anfrage.`,
  notEnough:
    'Das Geheimnis kann nicht geprüft werden: fügen Sie die Kopfzeilen ein, die Ihr Programm sah, und den Inhalt, wo er hier nicht gezeigt ist.',
  secretRight: 'Das Geheimnis ist das richtige.',
  secretOld:
    'Das Geheimnis ist ein altes, aus der Zeit vor einer Erneuerung. Es signiert noch, bis seine Zeit vorbei ist: nehmen Sie das neue.',
  secretWrong:
    'Das Geheimnis hat diese Signatur nicht gemacht: es gehört zu einem anderen Endpunkt oder in die Zeit vor oder nach einer Erneuerung, oder die Kopfzeilen wurden geändert.',
  secretBlanks:
    'Das Geheimnis ist richtig, hat aber Leerzeichen, Zeilenumbrüche oder Anführungszeichen um sich. Entfernen Sie diese dort, wo Ihr Programm es liest.',
  secretPrefix: 'Das Geheimnis ist richtig, aber whsec_ am Anfang fehlt.',
  secretOrBody: 'Geheimnis und Inhalt passen nicht zur Signatur: eines von beiden ist falsch.',
  privateKey:
    'Dies ist der private Schlüssel. Geprüft wird mit dem öffentlichen, der mit whpk_ beginnt.',
  computed: {
    right:
      'Ihr Programm berechnet die richtige Signatur. Vergleichen Sie sie mit jeder in webhook-signature.',
    hex: 'Ihr Programm schreibt die Signatur hexadezimal. Vergleichen Sie sie als Base64.',
    key: 'Ihr Programm nimmt den Text des Geheimnisses als Schlüssel. Der Schlüssel ist, was das Base64 nach whsec_ ergibt.',
    payload:
      'Ihr Programm signiert etwas anderes. Signiert werden webhook-id, ein Punkt, webhook-timestamp, ein Punkt und der Inhalt.',
    parsed:
      'Ihr Programm signiert einen Inhalt, der gelesen und neu geschrieben wurde. Signieren Sie die Bytes, wie sie kamen.',
    unknown: 'Kein üblicher Fehler führt zu der Signatur, die Ihr Programm berechnet.',
  },
  clockOff: (minutes, isRefused) =>
    `Die Uhr Ihres Servers geht etwa ${Math.abs(minutes)} min ${minutes < 0 ? 'nach' : 'vor'}, wie die Kopfzeile date seiner Antwort zeigt.${isRefused ? ' Empfänger weisen ab, was mehr als 5 Minuten abweicht.' : ''}`,
};
