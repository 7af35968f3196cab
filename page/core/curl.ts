/** The longest body in a command, in characters. Linux allows 128 KiB in one argument. */
const MOST = 60_000;

interface Request {
  readonly url: string;
  readonly contentType: string;
  readonly body: string;
  readonly bodyEncoding: 'utf8' | 'base64';
}

/** The request without its signature as a command for a shell. A body that does not fit is read from the file that can be downloaded. */
export function curlCommand(
  { url, contentType, body, bodyEncoding }: Request,
  file: string,
): string {
  const isText = bodyEncoding === 'utf8' && !body.includes('\0');
  const isLong = body.length > MOST;
  const data = isLong
    ? `--data-binary @${quoted(file)}`
    : isText
      ? `--data-raw ${quoted(body)}`
      : '--data-binary @-';
  const lines = [
    `curl --globoff -X POST ${quoted(url)}`,
    `-H ${quoted(`Content-Type: ${contentType}`)}`,
    data,
  ];
  const command = lines.join(' \\\n  ');
  return isText || isLong ? command : `printf %s ${quoted(body)} | base64 -d | ${command}`;
}

/** Within single quotes, a shell takes every character literally. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
