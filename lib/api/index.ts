export { showsPortalToken } from './http/portal.guard.js';
export { controllerMark, takesPortalTokens } from './platform/route-mark.js';
export { apiControllers } from './api-controllers.js';
export { mount } from './http/mount.js';
export { ProblemFilter } from './problems/problem.filter.js';
export { type ApiLimits } from './options/api-limits.js';
export {
  type ApiDecorators,
  type ApiOwner,
  type ApiRequest,
  ApiSettings,
  type ThornApiOptions,
} from './options/api-options.js';
export { EndpointProbe } from './subscribers/endpoint-probe.js';
export { SubscriberViews } from './subscribers/subscriber-views.js';
export { describeThornApi, type OpenApiDocument } from './openapi/describe-api.js';
export { checkApiPath } from './options/api-options.js';
export { type OperatorApiOptions, OperatorSettings } from './options/operator-options.js';
export type { PageApis, PageDefinition } from './options/page-definition.js';
export { RecentRetries } from './deliveries/recent-retries.js';
export { RegisteredPaths } from './platform/registered-paths.js';
export {
  ApplicationReport,
  type SetupReport,
  type SetupWarning,
} from './operator/application-report.js';
export { operatorControllers } from './operator/operator-controllers.js';
