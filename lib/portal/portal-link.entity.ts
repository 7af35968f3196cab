/**
 * A row of `thorn_portal_links`: a link to the page for one owner, and the session that it was exchanged for. In the first
 * data source. Written by `Portal` and the page. Deleted after it has expired, with the next link.
 */
export class ThornPortalLink {
  /** The id of the link, by which it is revoked. */
  id!: string;

  /** A hash of the code, and once that is used, of the session's token. */
  secretHash!: string;

  /** The owner whose endpoints it shows. */
  owner!: string;

  /** Words with blanks between them. */
  capabilities!: string;

  /** The time at which the link was made. */
  createdAt!: number;

  /** The time at which the code was exchanged; null before. */
  usedAt!: number | null;

  /** The end of the code, and once that is used, of the session. */
  expiresAt!: number;
}
