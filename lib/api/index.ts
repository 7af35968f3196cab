export { apiControllers } from './api-controllers.js';
export { type ApiLimits } from './api-limits.js';
export { type ApiRequest, ApiSettings, type ApiUser, type ThornApiOptions } from './api-options.js';
export { ApiServices } from './api-services.js';
export { describeThornApi, type OpenApiDocument } from './openapi.js';
export type { OperatorApiOptions } from './operator-options.js';
export { operatorControllers } from './operator-controllers.js';
