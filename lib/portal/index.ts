export { DatabaseLinkStore } from './database-link.store.js';
export { InMemoryLinkStore } from './in-memory-link.store.js';
export {
  CAPABILITIES,
  type Capability,
  isPortalToken,
  PortalLinks,
  type PortalSession,
} from './portal-links.js';
