import { InvalidInputError } from '../../errors/index.js';
import { valueAt } from './projection.js';

/** The maximum length of a template, in characters. */
export const MAX_TEMPLATE_LENGTH = 8192;
/** The maximum number of paths in a template. */
const MAX_PLACEHOLDERS = 100;
/** The maximum length of a body that a template makes, in characters. */
const MAX_MADE = 1_048_576;

/** The members of a body, with the id of the message. */
const MEMBERS = [
  ...['id', 'type', 'timestamp', 'ref', 'owner', 'trigger', 'trigger.changed'],
  ...['key', 'sequence', 'data'],
];
const PATH = /^[^\s{}"\\.]{1,128}(?:\.[^\s{}"\\.]{1,128}){0,15}$/;

/** A placeholder of a template that a value takes. */
interface Placeholder {
  readonly path: string;
  /** True: the value becomes part of a text in quotes. False: it stands for itself. */
  readonly isInText: boolean;
}

/** A template that was read: the texts between its placeholders, one more than there are placeholders. */
export interface Template {
  readonly texts: readonly string[];
  readonly placeholders: readonly Placeholder[];
}

/**
 * Reads a template: JSON in which `{{path}}` stands for values.
 *
 * @param name the name of the field, for errors
 * @throws {@link InvalidInputError} with the position of what is wrong
 */
export function parseTemplate(template: string, name = 'template'): Template {
  const texts: string[] = [];
  const placeholders: Placeholder[] = [];
  const refuse = (what: string, position: number): never => {
    throw new InvalidInputError(name, `${what}, at character ${position + 1}`, {
      reason: 'malformed-template',
      position: position + 1,
    });
  };
  let from = 0;
  let quote: number | null = null;
  let hasPlaceholder = false;
  for (let at = 0; at < template.length; at++) {
    if (template.startsWith('{{', at)) {
      const end = template.indexOf('}}', at);
      if (end === -1) refuse('has {{ without }}', at);
      const path = template.slice(at + 2, end).trim();
      if (!PATH.test(path)) {
        refuse('must have a path such as {{data.title}} between {{ and }}, without blanks', at);
      }
      if (!path.startsWith('data.') && !MEMBERS.includes(path)) {
        refuse(`names ${path}, which no body has; begin with ${MEMBERS.join(', ')}`, at);
      }
      texts.push(template.slice(from, at));
      placeholders.push({ path, isInText: quote !== null });
      hasPlaceholder = true;
      from = end + 2;
      at = end + 1;
      continue;
    }
    const character = template[at];
    if (quote === null) {
      if (character === '"') [quote, hasPlaceholder] = [at, false];
    } else if (character === '\\') {
      at += 1;
    } else if (character === '"') {
      if (hasPlaceholder && /^\s*:/.test(template.slice(at + 1))) {
        refuse('must not have {{ in the name of a field', quote);
      }
      quote = null;
    } else if (template.startsWith('}}', at)) {
      refuse('has }} without {{', at);
    }
  }
  texts.push(template.slice(from));
  if (placeholders.length > MAX_PLACEHOLDERS) {
    throw new InvalidInputError(name, `must have at most ${MAX_PLACEHOLDERS} paths`, {
      reason: 'too-many',
      max: MAX_PLACEHOLDERS,
    });
  }
  const read = { texts, placeholders };
  checkJson(read, name);
  return read;
}

/** The paths below `data` that a template names, without `data`. */
export function dataPathsOf(template: string): readonly string[] {
  const paths = parseTemplate(template).placeholders.map(({ path }) => path);
  return paths.filter((path) => path.startsWith('data.')).map((path) => path.slice('data.'.length));
}

/** A text in quotes can hold any value, and a value that stands for itself can be any if it can be null. */
function checkJson({ texts, placeholders }: Template, name: string): void {
  const sample = texts.map((text, at) => text + sampleOf(placeholders[at])).join('');
  try {
    JSON.parse(sample);
  } catch {
    throw new InvalidInputError(
      name,
      'must be JSON once each {{path}} has its value, for example {"text": "{{data.title}}", "id": {{data.id}}}',
      { reason: 'not-json' },
    );
  }
}

function sampleOf(placeholder: Placeholder | undefined): string {
  return placeholder === undefined || placeholder.isInText ? '' : 'null';
}

/**
 * Fills a template with the values of a body.
 *
 * @throws {@link InvalidInputError} with the reason `too-long` when the result has more than 1 Mi characters
 */
export function fillTemplate({ texts, placeholders }: Template, body: unknown): string {
  let made = texts[0]!;
  for (const [at, { path, isInText }] of placeholders.entries()) {
    const value = valueAt(body, path.split('.')) ?? null;
    made += (isInText ? inText(value) : JSON.stringify(value)) + texts[at + 1]!;
    if (made.length > MAX_MADE) {
      throw new InvalidInputError('template', `makes a body of more than ${MAX_MADE} characters`, {
        reason: 'too-long',
        max: MAX_MADE,
      });
    }
  }
  return made;
}

/** A value inside quotes: without a value nothing, objects and lists as JSON. */
function inText(value: unknown): string {
  if (value === null) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return JSON.stringify(text).slice(1, -1);
}
