import { BoundedCache } from '../../common/collections.js';
import { isObject } from '../../common/objects.js';
import { InvalidInputError } from '../../errors/index.js';
import { OptionChecks } from '../../common/option-checks.js';
import type { ShapeOptions } from '../body-settings.js';
import type { Message } from '../message.js';
import type { Recipient } from '../recipient.js';
import { projection } from './projection.js';
import { fillTemplate, parseTemplate } from './template.js';

/** The fields of a recipient that make another body of a message. */
export type ShapeFields = Pick<Recipient, 'fields' | 'thin' | 'template'>;

/** A body that recipients share. */
interface Shape {
  /** The same for all recipients with the same body. */
  readonly key: string;
  make(message: Message): string;
}

const CHECK = new OptionChecks('', 'shapes.');
/** Shapes that are kept ready. */
const MOST_SHAPES = 1000;

/** Makes the bodies of recipients that want another one than that of the message. */
export class BodyShapes {
  readonly templates: boolean;
  /** Where `thin` bodies lead; undefined where nobody could fetch a body. */
  readonly url: string | undefined;
  readonly #shapes = new BoundedCache<string, Shape>(MOST_SHAPES);

  /**
   * @param otherUrl the URL of the REST API as another option says it. Default: none does
   * @param keepsMessages false where no message is stored, so that nobody could fetch a body
   * @throws {@link ThornConfigurationError} naming the option that is wrong
   */
  constructor(
    options: ShapeOptions = {},
    otherUrl?: string,
    private readonly keepsMessages = true,
  ) {
    this.templates = CHECK.boolean('templates', options.templates ?? false);
    const { url = otherUrl } = options;
    const checked = url === undefined ? undefined : CHECK.apiUrl('url', url);
    this.url = keepsMessages ? checked : undefined;
  }

  /** @throws {@link InvalidInputError} for `thin`, where the option `shapes.url` is missing, or no message is stored */
  checkThin(thin: boolean, name: string): void {
    if (!thin || this.url !== undefined) return;
    const cause = this.keepsMessages
      ? 'the application does not say where receivers reach its REST API (shapes.url)'
      : 'inline() stores no message, so that nobody can fetch its body. Leave thin out, or set dispatch: outbox()';
    throw new InvalidInputError(name, `is not possible here: ${cause}`, { reason: 'not-offered' });
  }

  /** @throws {@link InvalidInputError} for `template`, where templates are off, or for a template that cannot be read */
  checkTemplate(template: string, name: string): void {
    if (!this.templates) {
      throw new InvalidInputError(
        name,
        'is not possible here: the application does not allow templates (shapes.templates)',
        { reason: 'not-offered' },
      );
    }
    parseTemplate(template, name);
  }

  /** The body for a recipient. Its bytes are made once for all recipients with the same body. */
  bodyOf(message: Message, recipient: Recipient): Buffer {
    const { fields, thin, template, contentType } = recipient;
    // Almost all recipients have none of them.
    if (!fields && !thin && !template) return message.body(contentType);
    const shape = this.#shapeOf(recipient);
    return message.shaped(contentType, shape.key, () => shape.make(message));
  }

  #shapeOf({ fields, thin, template }: ShapeFields): Shape {
    if (thin === true) return { key: 'thin', make: (message) => this.#thin(message) };
    const key = template ? `template ${template}` : `fields ${JSON.stringify(fields)}`;
    let shape = this.#shapes.get(key);
    if (shape === undefined) {
      shape = { key, make: template ? templateShape(template) : fieldsShape(fields!) };
      this.#shapes.set(key, shape);
    }
    return shape;
  }

  #thin({ id, event, time }: Message): string {
    const ref = `${this.url ?? ''}/events/${encodeURIComponent(id)}`;
    return JSON.stringify({ type: event, timestamp: new Date(time).toISOString(), id, ref });
  }
}

function fieldsShape(fields: readonly string[]): Shape['make'] {
  const project = projection(fields);
  return (message) => {
    const body = parsed(message);
    return JSON.stringify(
      isObject(body) && 'data' in body ? { ...body, data: project(body['data']) } : body,
    );
  };
}

function templateShape(template: string): Shape['make'] {
  const read = parseTemplate(template);
  return (message) => {
    const body = parsed(message);
    return fillTemplate(read, isObject(body) ? { ...body, id: message.id } : body);
  };
}

function parsed(message: Message): unknown {
  return JSON.parse(message.json.toString());
}
