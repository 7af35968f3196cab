// The other screens of operators: the page loads this file when one of them is opened.
export { OperatorEndpoints } from './operator-endpoints.js';
export { OperatorMaintenance } from './operator-maintenance.js';
export { OperatorOverview } from './operator-overview.js';
