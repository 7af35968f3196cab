import { mount, type PageDefinition, ProblemFilter } from '../api/index.js';
import { ThornConfigurationError } from '../errors/index.js';
import { PAGE_FILES } from './page-bundle.js';
import { ThornPageController } from './page.controller.js';
import { type PageOptions, PageSettings } from './page-options.js';
import { Portal } from './portal.js';

/**
 * The page on which owners and operators see endpoints and deliveries, and change them. It uses the REST API, and the
 * operator API where there is one. A user who may not use an API sees nothing of its data.
 *
 * @throws `ThornConfigurationError` naming an option whose value is refused
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
  const settings = new PageSettings(options);
  const { path } = settings;
  return {
    path,
    controllers: ({ api: { decorators, problems, baseUrl, path: explainedBy } }) => [
      // The document has no data of any owner, so that no guard of the API applies to it.
      mount(ThornPageController, {
        path,
        isPage: true,
        decorators: [...decorators.all, ...decorators.public],
        filters: problems ? [new ProblemFilter({ path, explainedBy, baseUrl })] : [],
      }),
    ],
    providers: [{ provide: PageSettings, useValue: settings }, Portal],
    exports: [Portal],
  };
}
