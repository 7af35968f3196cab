import { shownNames } from '../../common/log.js';
import type { ConditionFault } from '../../event/conditions/condition-fields.js';
import type { OperatorName } from '../../event/conditions/condition.js';
import type { ReportedRow } from '../../database/triggers/reported-table.js';
import { ThornConfigurationError } from '../../errors/index.js';
import type { Column, Row, RowTable } from '../table/row-table.js';
import { operandFault } from './operand-fault.js';
import type { TableEvents } from './define-table-events.js';
import type { TableColumn } from './reported-tables.js';

/** A table without an ORM's description: columns alone, as the database describes them. */
export class PlainTable implements RowTable {
  readonly name: string;
  readonly declaration: string;
  readonly keyPrefix: string;
  readonly key: readonly PlainColumn[];
  readonly columns: readonly PlainColumn[];
  readonly relations = [];
  readonly embedded = [];
  readonly computed = [];
  readonly deleteDate = undefined;
  readonly concealed: readonly string[];
  readonly notSecret: readonly string[];
  readonly isOpen = false;
  readonly hasAccessors = false;
  /** What rows inherit: for each omitted column a getter that throws, since a payload would silently have nothing there. */
  readonly #omitted: object;

  /** @throws {@link ThornConfigurationError} when the declaration names a column that is not there */
  constructor(declared: TableEvents, columns: readonly TableColumn[]) {
    const { name, declaration, hidden, notSecret, key, omit } = declared;
    this.name = `the table ${name}`;
    this.declaration = declaration;
    this.keyPrefix = name;
    this.concealed = hidden;
    this.notSecret = notSecret;
    checkColumns(declared, columns);
    const properties = new Map(
      Object.entries(declared.columns).map(([property, column]) => [column, property]),
    );
    this.columns = columns
      .filter((column) => !omit.includes(column.name))
      .map((column) => {
        const path = properties.get(column.name) ?? column.name;
        return new PlainColumn(column, path, declared.readers[path]);
      });
    const omitted = omit.map((column) => properties.get(column) ?? column);
    this.#omitted = omitted.length === 0 ? Object.prototype : refusing(omitted, declaration);
    this.key = key.map((column) => this.columns.find((one) => one.name === column)!);
  }

  /**
   * Makes a row of the values that a trigger has reported. A trigger of an older declaration may report more columns.
   */
  rowOf(reported: ReportedRow): Row {
    const row = Object.create(this.#omitted) as Row;
    for (const { name, path, read } of this.columns) {
      const value = reported[name];
      if (value !== undefined) row[path] = read === undefined ? value : read(value);
    }
    return row;
  }

  declarationOf(event: string): string {
    return `${this.declaration}, event ${event}`;
  }

  operandFault(path: string, operator: OperatorName, operand: unknown): ConditionFault | undefined {
    const ofRow = path.replace(/^changes\.(.+)\.(?:from|to)\b/, '$1');
    const column = this.columns.find((one) => one.path === ofRow);
    return operandFault(column, operator, operand);
  }

  hasGetter(): boolean {
    return false;
  }

  idOf(row: object): unknown {
    const [column, ...others] = this.key;
    if (others.length === 0) return column!.get(row);
    return Object.fromEntries(this.key.map((one) => [one.path, one.get(row)]));
  }

  emptyLike(): object {
    return {};
  }
}

class PlainColumn implements Column {
  readonly name: string;
  readonly type: string;
  readonly isArray: boolean;
  readonly isHidden = false;
  readonly isVirtual = false;
  readonly isAutomatic = false;
  readonly isUpdated = true;
  readonly relation = undefined;
  readonly toDatabase = undefined;

  constructor(
    { name, type, isArray = false }: TableColumn,
    readonly path: string,
    readonly read: ((value: unknown) => unknown) | undefined,
  ) {
    this.name = name;
    this.type = type;
    this.isArray = isArray;
  }

  get(row: object): unknown {
    return (row as Row)[this.path];
  }

  set(row: Row, value: unknown): void {
    row[this.path] = value;
  }
}

function refusing(properties: readonly string[], declaration: string): object {
  const getters = properties.map((column) => [
    column,
    {
      get: () => {
        throw new ThornConfigurationError(
          'THORN_DECLARATION_INVALID',
          `${declaration}: a function reads ${column}, which triggers do not report because of omit. ` +
            `Take ${column} out of omit; to keep it from payloads alone, name it in hidden`,
          { declaration, column },
        );
      },
    },
  ]);
  return Object.create(Object.prototype, Object.fromEntries(getters)) as object;
}

function checkColumns(
  { declaration, key, omit, columns: named }: TableEvents,
  columns: readonly TableColumn[],
): void {
  const known = columns.map(({ name }) => name);
  for (const [setting, names] of Object.entries({ key, omit, columns: Object.values(named) })) {
    const unknown = names.find((name) => !known.includes(name));
    if (unknown === undefined) continue;
    throw new ThornConfigurationError(
      'THORN_DECLARATION_INVALID',
      `${declaration}: ${setting} names ${unknown}, which is not a column of the table. Its columns: ${shownNames(known)}`,
      { declaration, setting, column: unknown },
    );
  }
}
