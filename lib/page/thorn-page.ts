import { ApiSettings, type PageDefinition, RegisteredPaths } from '../api/index.js';
import { ThornConfigurationError } from '../errors/index.js';
import { MessageFactory } from '../message/index.js';
import { PortalLinks } from '../portal/index.js';
import { PAGE_FILES } from './page-bundle.js';
import { pageController } from './page.controller.js';
import { type PageOptions, pageSettings } from './page-options.js';
import { Portal } from './portal.js';

/**
 * The page on which owners and operators see endpoints and deliveries, and change them. It uses the REST API, and the
 * operator API where there is one: whoever may not use an API sees nothing of it.
 *
 * @throws `ThornConfigurationError` naming an option whose value makes no sense
 *
 * @example
 * ```ts
 * ThornModule.forRoot({ api: { guards: [AuthGuard], owner: (request) => request.user.id }, page: thornPage() });
 * ```
 */
export function thornPage(options: PageOptions = {}): PageDefinition {
  if (PAGE_FILES.length === 0) {
    throw new ThornConfigurationError(
      'THORN_PAGE_FILES_MISSING',
      'thornPage(): the files of the page are missing, because Thorn runs from its sources. Run `npm run build`.',
    );
  }
  const settings = pageSettings(options);
  return {
    path: settings.path,
    controllers: (apis) => [pageController(settings, apis)],
    providers: [
      {
        provide: Portal,
        inject: [PortalLinks, RegisteredPaths, ApiSettings, MessageFactory],
        useFactory: (
          links: PortalLinks,
          paths: RegisteredPaths,
          api: ApiSettings,
          { baseUrl }: MessageFactory,
        ) => new Portal(links, () => options.url ?? pageUrl(paths, api.baseUrl, baseUrl)),
      },
    ],
    exports: [Portal],
  };
}

/** Absolute where the application has said how it is reached, for links that leave it, as in a mail. */
function pageUrl({ pages }: RegisteredPaths, ofApi: string, baseUrl: string | undefined): string {
  const path = `${pages[0] ?? ''}/`;
  if (ofApi !== '' || baseUrl === undefined) return ofApi + path;
  return new URL(path, baseUrl).href;
}
