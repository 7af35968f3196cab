/**
 * The page for owners of endpoints and for operators.
 *
 * @module nestjs-thorn/page
 */
export { thornPage } from './thorn-page.js';
export type { PageBrand, PageLink, PageOptions } from './page-options.js';
export {
  isPortalRequest,
  type OpenLink,
  Portal,
  type PortalLink,
  type PortalLinkOptions,
} from './portal.js';
export type { Capability } from '../portal/index.js';
export type { PageDefinition } from '../api/index.js';
