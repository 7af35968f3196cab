import { gunzipSync } from 'node:zlib';
import {
  Body,
  Controller,
  Get,
  Headers,
  Inject,
  NotFoundException,
  Param,
  Post,
  Req,
  Res,
  UnauthorizedException,
} from '@nestjs/common';
import { ApiSettings, OperatorSettings, RegisteredPaths } from '../api/index.js';
import { Clock } from '../common/index.js';
import { WebhookFormats } from '../message/index.js';
import { PortalLinks } from '../portal/index.js';
import { PAGE_FILES, type PageFile } from './page-bundle.js';
import { PageSettings } from './page-options.js';
import {
  elementOf,
  languageOf,
  relativePath,
  SAFE_HEADERS,
  shellHeaders,
  shellOf,
  type ShellSettings,
} from './shell.js';

/** The part of a response of Express or Fastify that is used. */
interface PageResponse {
  status(code: number): PageResponse;
  header(name: string, value: string): PageResponse;
  removeHeader(name: string): unknown;
  send(body?: Buffer | string): unknown;
  readonly raw?: { removeHeader(name: string): void };
}

const files = new Map(PAGE_FILES.map((file) => [file.name, file]));

/** The document of the page and its files. */
@Controller()
export class ThornPageController {
  readonly #shells = new Map<string, string>();

  readonly #headers: Readonly<Record<string, string>>;

  constructor(
    private readonly settings: PageSettings,
    private readonly api: ApiSettings,
    @Inject(OperatorSettings) private readonly operatorApi: OperatorSettings | null,
    private readonly registered: RegisteredPaths,
    private readonly links: PortalLinks,
    private readonly clock: Clock,
    private readonly formats: WebhookFormats,
  ) {
    this.#headers = shellHeaders(settings);
  }

  @Get()
  shell(
    @Req() request: { readonly originalUrl: string },
    @Headers('accept-language') accepted: string | undefined,
    @Res() response: PageResponse,
  ): void {
    const language = this.settings.language ?? languageOf(accepted ?? '', PAGE_FILES);
    const html = this.#shell(request.originalUrl, language);
    for (const [name, value] of Object.entries(this.#headers)) response.header(name, value);
    if (this.settings.frameAncestors.length > 0) allowFrames(response);
    response.send(html);
  }

  /** Exchanges the code of a link for the token of a session, with which the page then calls the REST API. */
  @Post('session')
  async session(@Body() body: unknown, @Res() response: PageResponse): Promise<void> {
    const { code } = (body ?? {}) as { readonly code?: unknown };
    const session = typeof code === 'string' ? await this.links.exchange(code) : null;
    if (session === null) throw new UnauthorizedException();
    const { token, capabilities, expiresAt } = session;
    response
      .status(200)
      .header('Content-Type', 'application/json; charset=utf-8')
      .send(JSON.stringify({ token, capabilities, expiresIn: expiresAt - this.clock.now() }));
  }

  /** The script that defines `<thorn-portal>`, for documents that show the page without a frame. */
  @Get('element.js')
  element(@Req() request: { readonly originalUrl: string }, @Res() response: PageResponse): void {
    for (const [name, value] of Object.entries(SAFE_HEADERS)) response.header(name, value);
    response
      .header('Content-Type', 'text/javascript; charset=utf-8')
      .send(this.#element(request.originalUrl));
  }

  @Get('assets/:file')
  asset(
    @Param('file') name: string,
    @Headers('accept-encoding') encodings: string | undefined,
    @Res() response: PageResponse,
  ): void {
    const file = files.get(name);
    if (file === undefined) throw new NotFoundException();
    const content = Buffer.from(file.gzip, 'base64');
    for (const [key, value] of Object.entries(SAFE_HEADERS)) response.header(key, value);
    response
      .header('Content-Type', file.type)
      .header('Cache-Control', 'public, max-age=31536000, immutable')
      .header('Vary', 'Accept-Encoding');
    if (/\bgzip\b/i.test(encodings ?? '')) {
      response.header('Content-Encoding', 'gzip').send(content);
    } else response.send(gunzipSync(content));
  }

  /** The document for a request. The links in it are relative, so they depend on whether the path ends with a slash. */
  #shell(url: string, language: PageFile['language']): string {
    const [path = ''] = url.split('?', 1);
    const base = path.endsWith('/') ? './' : `./${path.split('/').at(-1)}/`;
    const page = this.#registered(path);
    const key = `${page} ${base} ${language}`;
    const known = this.#shells.get(key);
    if (known !== undefined) return known;
    const shell = shellOf(this.#settings(page), PAGE_FILES, `${base}assets/`, language);
    // Express ignores the case of a path, so a caller can ask for many spellings of it. The limit keeps them from filling
    // the memory.
    if (this.#shells.size < 16) this.#shells.set(key, shell);
    return shell;
  }

  #element(url: string): string {
    const [path = ''] = url.split('?', 1);
    const page = this.#registered(path.replace(/\/element\.js$/i, ''));
    return elementOf(this.#settings(page), PAGE_FILES);
  }

  #settings(page: string): ShellSettings {
    const { url: _, ...shown } = this.settings;
    const { path: operators, bodies = false } = this.operatorApi ?? {};
    return {
      ...shown,
      bodies: this.formats.offers,
      origins: shown.frameAncestors,
      api: this.#pathTo(this.api.path, page),
      operatorApi: operators === undefined ? null : this.#pathTo(operators, page),
      operatorBodies: bodies,
    };
  }

  /**
   * The relative path from the page to an API. It is made from the paths that the platform has registered, because a
   * global prefix may have exceptions.
   */
  #pathTo(api: string, page: string): string {
    const found = this.registered.apis.find((one) => one.endsWith(`/${api}`));
    return relativePath(page, found ?? `/${api}`);
  }

  #registered(path: string): string {
    const plain = path.replace(/\/+$/, '').toLowerCase();
    const { pages } = this.registered;
    const fits = (one: string) => plain.endsWith(one.toLowerCase());
    return pages.findLast(fits) ?? pages[0] ?? `/${this.settings.path}`;
  }
}

/**
 * Removes the header `X-Frame-Options`, which helmet sets: browsers that do not know `frame-ancestors` would forbid frames
 * that it allows.
 */
function allowFrames(response: PageResponse): void {
  response.removeHeader('X-Frame-Options');
  response.raw?.removeHeader('X-Frame-Options');
}
