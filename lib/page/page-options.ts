import { isObject } from '../common/objects.js';
import { OptionChecks } from '../common/option-checks.js';
import { checkApiPath } from '../api/index.js';

/** A link that the page shows in its menu. */
export interface PageLink {
  /** The text of the link. */
  readonly label: string;
  /** The URL that the link leads to. */
  readonly url: string;
}

/** Colours of the page, as `#rrggbb`. */
export interface PageColours {
  /** The colour of buttons, links and the focus on a light ground. Default: a colour of Thorn. */
  readonly accent?: string;
  /** The same colour on a dark ground. Default: `accent`. */
  readonly accentDark?: string;
}

/** Options of {@link thornPage}. */
export interface PageOptions {
  /** The path of the page, below a global prefix if there is one. Default `webhooks`. */
  readonly path?: string;
  /**
   * The URL of the page for links to it, for example `https://app.example.com/webhooks/`. Default: none, so that links
   * have the path only.
   */
  readonly url?: string;
  /** The name that the page shows. Default `Webhooks`. */
  readonly title?: string;
  /** A picture beside the title: a path of this host, for example `/logo.svg`, or a `data:` URL of an image. Default: none. */
  readonly logo?: string;
  /** The colours of the application. Default: the colours of Thorn. */
  readonly colours?: PageColours;
  /** Origins whose pages may show this page in a frame, for example `https://app.example.com`. Default: none. */
  readonly frameAncestors?: readonly string[];
  /** Links of the application for the page's menu, such as its documentation. Default: none. */
  readonly links?: readonly PageLink[];
  /**
   * URLs of documents that the application serves. The page links them above the catalogue of events. Default:
   * documents of the events, which the REST API makes, as files to download.
   */
  readonly documents?: {
    /** For example `/docs`; see `thornOpenApiWebhooks()`. */
    readonly openApi?: string;
    /** For example `/asyncapi.json`; see `thornAsyncApi()`. */
    readonly asyncApi?: string;
  };
  /** A URL where users sign in, shown to a caller whom the guards reject. Default: none. */
  readonly signIn?: string;
  /** The language of the page. Default: `en` or `de`, as the browser asks for. */
  readonly language?: 'en' | 'de';
}

const NAMES: Readonly<Record<keyof PageOptions, true>> = {
  path: true,
  url: true,
  title: true,
  logo: true,
  colours: true,
  frameAncestors: true,
  links: true,
  documents: true,
  signIn: true,
  language: true,
};
const COLOUR = /^#[0-9a-f]{6}$/i;
const ORIGIN = /^https?:\/\/[\w.*-]+(?::(?:\d{1,5}|\*))?$/i;
const LOGO = /^(?:\/[^/\\]|data:image\/)/;

/** {@link PageOptions} with their defaults, checked. */
export class PageSettings {
  readonly path: string;
  readonly title: string;
  readonly colours: PageColours;
  readonly frameAncestors: readonly string[];
  readonly links: readonly PageLink[];
  readonly documents: NonNullable<PageOptions['documents']>;
  readonly logo: string | undefined;
  readonly signIn: string | undefined;
  readonly language: 'en' | 'de' | undefined;
  readonly url: string | undefined;

  /** @throws {@link ThornConfigurationError} that names the option and says how to fix it */
  constructor(options: PageOptions = {}) {
    const check = new OptionChecks('thornPage()');
    check.assert('options', isObject(options), 'must be an object');
    check.names(options, Object.keys(NAMES));
    const { path = 'webhooks', title = 'Webhooks', logo, signIn, language } = options;
    const { colours = {}, frameAncestors = [], links = [], documents = {} } = options;
    checkApiPath(check, path);
    check.assert('title', isText(title), 'must be a text');
    check.assert(
      'logo',
      logo === undefined || (isText(logo) && LOGO.test(logo)),
      "must be a path of this host, for example '/logo.svg', or a data: URL of an image",
    );
    check.object('colours', colours, ['accent', 'accentDark']);
    for (const [name, colour] of Object.entries(colours)) {
      check
        .within('colours')
        .assert(name, COLOUR.test(colour), "must be a colour such as '#0b57d0'");
    }
    check.assert(
      'frameAncestors',
      Array.isArray(frameAncestors) && frameAncestors.every((one) => ORIGIN.test(String(one))),
      "must be a list of origins, for example ['https://app.example.com']",
    );
    check.assert(
      'links',
      Array.isArray(links) && links.every((one) => isText(one.label) && isLink(one.url)),
      'must be a list of { label, url }, with http, https or relative URLs',
    );
    check.object('documents', documents, ['openApi', 'asyncApi']);
    for (const [name, url] of Object.entries(documents)) {
      check.within('documents').assert(name, isLink(url), 'must be an http, https or relative URL');
    }
    check.assert('signIn', signIn === undefined || isLink(signIn), 'must be a URL');
    check.assert(
      'url',
      options.url === undefined || (isLink(options.url) && !/[?#]/.test(options.url)),
      'must be a URL without a query',
    );
    check.oneOf('language', language, ['en', 'de']);
    this.path = path.replace(/^\//, '');
    this.title = title;
    this.colours = colours;
    this.frameAncestors = frameAncestors;
    this.links = links;
    this.documents = documents;
    this.logo = logo;
    this.signIn = signIn;
    this.language = language;
    this.url = options.url;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0;
}

/** Refuses the schemes that would run code, such as `javascript:`. */
function isLink(value: unknown): boolean {
  if (!isText(value) || !URL.canParse(value, 'https://localhost')) return false;
  return /^https?:$/.test(new URL(value, 'https://localhost').protocol);
}
