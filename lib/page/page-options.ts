import { isObject } from '../common/objects.js';
import { OptionChecks } from '../common/option-checks.js';
import { checkApiPath } from '../api/index.js';
import { contrastOf, READABLE, readableOn } from './contrast.js';

/** A link that the page shows in its menu. */
export interface PageLink {
  /** The text of the link. */
  readonly label: string;
  /** The URL that the link leads to. */
  readonly url: string;
}

/** How the page shows whose it is. */
export interface PageBrand {
  /** The name that the page shows. Default `Webhooks`. */
  readonly name?: string;
  /** A picture beside the name: a path of this host, for example `/logo.svg`, or a `data:` URL of an image. Default: none. */
  readonly logo?: string;
  /**
   * The colour of buttons, links and the focus, as `#rrggbb`. Text in it must be readable on a light ground: it needs a
   * contrast of 4.5:1. On a dark ground the page shows a lighter tone of it. Default: a blue.
   */
  readonly accent?: string;
  /**
   * The families of fonts for text, as CSS names them, for example `Inter, 'Segoe UI', sans-serif`. The page loads no
   * font: a family that the device of the user does not have is skipped. Default: the font of the system.
   */
  readonly font?: string;
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
  /** The name, logo, accent and font of the application. Default: the name `Webhooks`, in the colours of Thorn. */
  readonly brand?: PageBrand;
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
  brand: true,
  frameAncestors: true,
  links: true,
  documents: true,
  signIn: true,
  language: true,
};
const COLOUR = /^#[0-9a-f]{6}$/i;
const ORIGIN = /^https?:\/\/[\w.*-]+(?::(?:\d{1,5}|\*))?$/i;
/** Names of families, some in quotes, and no functions, so that a value cannot hold a URL. */
const FAMILY =
  /^(?:'[\p{L}\p{N} _-]+'|"[\p{L}\p{N} _-]+"|[\p{L}_-][\p{L}\p{N}_-]*(?: +[\p{L}_-][\p{L}\p{N}_-]*)*)$/u;
const LOGO = /^(?:\/[^/\\]|data:image\/)/;

/**
 * The grounds of `page/style/base.css` on which text in the accent is hardest to read: a tone that is readable on them is
 * readable everywhere.
 */
const GROUNDS = { light: '#fdecea', dark: '#2e2412' } as const;

/** {@link PageBrand} as the page gets it, with the accent on both grounds. */
interface ShownBrand {
  readonly name: string;
  readonly logo: string | undefined;
  readonly accent: Readonly<Record<keyof typeof GROUNDS, string>> | undefined;
  readonly font: string | undefined;
}

/** {@link PageOptions} with their defaults, checked. */
export class PageSettings {
  readonly path: string;
  readonly brand: ShownBrand;
  readonly frameAncestors: readonly string[];
  readonly links: readonly PageLink[];
  readonly documents: NonNullable<PageOptions['documents']>;
  readonly signIn: string | undefined;
  readonly language: 'en' | 'de' | undefined;
  readonly url: string | undefined;

  /** @throws {@link ThornConfigurationError} that names the option and says how to fix it */
  constructor(options: PageOptions = {}) {
    const check = new OptionChecks('thornPage()');
    check.assert('options', isObject(options), 'must be an object');
    check.names(options, Object.keys(NAMES));
    const { path = 'webhooks', signIn, language } = options;
    const { brand = {}, frameAncestors = [], links = [], documents = {} } = options;
    checkApiPath(check, path);
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
    this.brand = shownBrand(check, brand);
    this.frameAncestors = frameAncestors;
    this.links = links;
    this.documents = documents;
    this.signIn = signIn;
    this.language = language;
    this.url = options.url;
  }
}

function shownBrand(checkAll: OptionChecks, brand: PageBrand): ShownBrand {
  checkAll.object('brand', brand, ['name', 'logo', 'accent', 'font']);
  const check = checkAll.within('brand');
  const { name = 'Webhooks', logo, accent, font } = brand;
  check.assert('name', isText(name), 'must be a text');
  check.assert(
    'logo',
    logo === undefined || (isText(logo) && LOGO.test(logo)),
    "must be a path of this host, for example '/logo.svg', or a data: URL of an image",
  );
  check.assert(
    'font',
    font === undefined || (isText(font) && font.split(',').every((one) => FAMILY.test(one.trim()))),
    'must be names of font families, for example "Inter, \'Segoe UI\', sans-serif"',
  );
  if (accent === undefined) return { name, logo, accent, font };
  check.assert('accent', COLOUR.test(accent), "must be a colour such as '#0b57d0'");
  const contrast = contrastOf(accent, GROUNDS.light);
  check.assert(
    'accent',
    contrast >= READABLE,
    `has a contrast of ${contrast.toFixed(1)}:1 on the light grounds of the page, and text needs ${READABLE}:1. ` +
      `Give a darker tone, for example '${readableOn(GROUNDS.light, accent, 'black')}'`,
  );
  const dark = readableOn(GROUNDS.dark, accent, 'white');
  return { name, logo, accent: { light: accent, dark }, font };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0;
}

/** Refuses the schemes that would run code, such as `javascript:`. */
function isLink(value: unknown): boolean {
  if (!isText(value) || !URL.canParse(value, 'https://localhost')) return false;
  return /^https?:$/.test(new URL(value, 'https://localhost').protocol);
}
