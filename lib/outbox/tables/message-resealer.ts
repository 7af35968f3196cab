import { SecretUnreadableError } from '../../signing/index.js';
import { withMessageId } from './keys.js';
import { selectRecipients, updateRecipients } from './messages.js';
import type { MessageRowMapper } from './message-row-mapper.js';
import type { SqlStore } from '../../database/sql-store.js';
import type { TableNames } from './table-names.js';

/** The result for one page of messages. */
export interface ResealedMessages {
  readonly checked: number;
  readonly resealed: number;
  /** Ids of messages whose subscribers cannot be opened. */
  readonly unreadable: readonly string[];
  readonly next: string | null;
}

/** Seals the subscribers that messages name themselves again, including their secrets. */
export class MessageResealer {
  constructor(
    private readonly database: SqlStore,
    private readonly tables: TableNames,
    private readonly rows: MessageRowMapper,
  ) {}

  /** Seals one page of messages with the first key, in the order of their ids. */
  async reseal(limit: number, after: string | null, dryRun: boolean): Promise<ResealedMessages> {
    const { database } = this;
    const target = { dialect: database.dialect, tables: this.tables };
    const found = await database.run(selectRecipients(target, after, limit));
    const rows = found.rows.map(withMessageId);
    const unreadable: string[] = [];
    const changes = rows.flatMap(({ id, recipients: stored }) => {
      if (stored === null) return [];
      const sealed = this.#resealed(id, stored);
      if (sealed === undefined) unreadable.push(id);
      return sealed === null || sealed === undefined
        ? []
        : [updateRecipients(target, id, { stored, sealed })];
    });
    // Few messages name subscribers.
    if (!dryRun && changes.length > 0) await database.execute(changes);
    return {
      checked: rows.length,
      resealed: changes.length,
      unreadable,
      next: rows.length < limit ? null : rows.at(-1)!.id,
    };
  }

  /** @returns null when the text is sealed with the first key already, undefined when it cannot be opened */
  #resealed(id: string, stored: string): string | null | undefined {
    try {
      return this.rows.resealed(id, stored);
    } catch (error) {
      if (error instanceof SecretUnreadableError) return undefined;
      throw error;
    }
  }
}
