// The screens that customers never see: the page loads this file for operators alone.
export { OperatorEndpoint } from './operator-endpoint.js';
export { OperatorEndpoints } from './operator-endpoints.js';
export { OperatorMaintenance } from './operator-maintenance.js';
export { OperatorOverview } from './operator-overview.js';
