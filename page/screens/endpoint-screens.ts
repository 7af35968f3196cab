// The screens of one endpoint, with its form: the page loads this file when one of them is opened.
export { AddEndpoint } from './add-endpoint.js';
export { EndpointScreen } from './endpoint.js';
export { OperatorEndpoint } from './operator-endpoint.js';
