import type { ApiSettings, OperatorSettings, PageDefinition } from '../../api/index.js';
import { OptionChecks } from '../../common/option-checks.js';

interface Routed {
  readonly api: Pick<ApiSettings, 'path'> | undefined;
  readonly operatorApi: Pick<OperatorSettings, 'path'> | undefined;
  readonly page: PageDefinition | undefined;
}

/** Refuses paths at which one answers in place of another: the framework takes the first route that fits. */
export function checkPaths({ api, operatorApi, page }: Routed): void {
  if (operatorApi !== undefined) {
    const check = new OptionChecks('', 'operatorApi.');
    if (api !== undefined) checkApart(check, operatorApi.path, '`api.path`', api.path);
  }
  if (page !== undefined) {
    const check = new OptionChecks('thornPage()');
    if (api !== undefined) checkApart(check, page.path, '`api.path`', api.path);
    if (operatorApi?.path === page.path) {
      checkApart(check, page.path, '`operatorApi.path`', operatorApi.path);
    }
  }
}

/** Below the API every word is the id of a subscriber. */
function checkApart(check: OptionChecks, path: string, other: string, taken: string): void {
  check.assert(
    'path',
    path !== taken && !path.startsWith(`${taken}/`),
    `is '${path}', where the routes of ${other} ('${taken}') answer. Give each a path of its own`,
  );
}
