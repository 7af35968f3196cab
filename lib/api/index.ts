export { apiControllers } from './api-controllers.js';
export { type ApiLimits } from './options/api-limits.js';
export {
  type ApiDecorators,
  type ApiOwner,
  type ApiRequest,
  ApiSettings,
  type ThornApiOptions,
} from './options/api-options.js';
export { ApiServices } from './subscribers/api-services.js';
export { describeThornApi, type OpenApiDocument } from './openapi/describe-api.js';
export type { OperatorApiOptions } from './options/operator-options.js';
export { PlatformProblems } from './platform/platform-problems.js';
export { operatorControllers } from './operator/operator-controllers.js';
