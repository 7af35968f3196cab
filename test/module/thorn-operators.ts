import { Column, Entity, ManyToOne, PrimaryGeneratedColumn, type Relation } from 'typeorm';
import { type Condition, WebhookEvent } from '../../lib/index.js';
import { Author } from './thorn-checklist.entities.js';

const asJson = <Value>(toJson: (value: Value) => unknown, fromJson: (json: never) => Value) => ({
  to: (value: Value | undefined) => (value === undefined ? value : JSON.stringify(toJson(value))),
  // TypeORM hydrates what an insert has read back a second time.
  from: (text: string | Value) =>
    typeof text === 'string' ? fromJson(JSON.parse(text) as never) : text,
});

/** A row with a value of every kind that operators speak of. */
@Entity()
export class Paper {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ default: 'On Computable Numbers' })
  title!: string;

  @Column({ type: 'int', default: 0 })
  pages!: number;

  @Column({ type: 'varchar', nullable: true })
  journal!: string | null;

  @Column({ default: false })
  open!: boolean;

  @Column({ type: 'simple-json', default: '[]' })
  keywords!: string[];

  @Column({ type: 'simple-json', default: '{}' })
  notes!: Record<string, string>;

  @Column({
    type: 'text',
    default: '[]',
    transformer: asJson<Set<string>>(
      (set) => [...set],
      (list) => new Set<string>(list),
    ),
  })
  languages!: Set<string>;

  @Column({
    type: 'text',
    default: '[]',
    transformer: asJson<Map<string, number>>(
      (map) => [...map],
      (list) => new Map<string, number>(list),
    ),
  })
  scores!: Map<string, number>;

  @ManyToOne(() => Author, { nullable: true })
  author!: Relation<Author> | null;
}

type Values = Partial<Omit<Paper, 'id'>>;

/** Title of the test, condition, values before, values that are saved, whether the event is sent. */
export type OperatorCase = readonly [string, Condition<Paper>, Values, Values, boolean];

/** @param authors one whose account is staff, one whose is not */
export function operatorCases(
  staff: () => Author | null,
  other: () => Author | null,
): OperatorCase[] {
  const numbers = { pages: 3 };
  return [
    ['eq', { pages: { eq: 4 } }, numbers, { pages: 4 }, true],
    ['eq, not', { pages: { eq: 4 } }, numbers, { pages: 5 }, false],
    ['eq true is strict', { open: { eq: true } }, {}, { open: true }, true],
    ['ne', { pages: { ne: 4 } }, numbers, { pages: 5 }, true],
    ['ne, not', { pages: { ne: 4 } }, numbers, { pages: 4 }, false],
    ['gt', { pages: { gt: 4 } }, numbers, { pages: 5 }, true],
    ['gt, not', { pages: { gt: 4 } }, numbers, { pages: 4 }, false],
    ['gte', { pages: { gte: 4 } }, numbers, { pages: 4 }, true],
    ['gte, not', { pages: { gte: 4 } }, numbers, { pages: 2 }, false],
    ['lt', { pages: { lt: 3 } }, numbers, { pages: 2 }, true],
    ['lt, not', { pages: { lt: 3 } }, numbers, { pages: 4 }, false],
    ['lte', { pages: { lte: 2 } }, numbers, { pages: 2 }, true],
    ['lte, not', { pages: { lte: 2 } }, numbers, { pages: 4 }, false],
    ['is null', { journal: { is: null } }, { journal: 'Mind' }, { journal: null }, true],
    ['is null, not', { journal: { is: null } }, {}, { journal: 'Mind' }, false],
    ['isNot null', { journal: { isNot: null } }, {}, { journal: 'Mind' }, true],
    [
      'isNot null, not',
      { journal: { isNot: null } },
      { journal: 'Mind' },
      { journal: null },
      false,
    ],
    ['in', { pages: { in: [4, 5] } }, numbers, { pages: 5 }, true],
    ['in, not', { pages: { in: [4, 5] } }, numbers, { pages: 6 }, false],
    ['notIn', { pages: { notIn: [4, 5] } }, numbers, { pages: 6 }, true],
    ['notIn, not', { pages: { notIn: [4, 5] } }, numbers, { pages: 5 }, false],
    ['contains, of a text', { title: { contains: 'and' } }, {}, { title: 'Sand' }, true],
    ['contains, of a text, not', { title: { contains: 'and' } }, {}, { title: 'See' }, false],
    ['contains, of an array', { keywords: { contains: 'a' } }, {}, { keywords: ['a'] }, true],
    ['contains, of an array, not', { keywords: { contains: 'a' } }, {}, { keywords: ['b'] }, false],
    [
      'contains, of a set',
      { languages: { contains: 'en' } },
      {},
      { languages: new Set(['en', 'de']) },
      true,
    ],
    [
      'contains, of a map',
      { scores: { contains: 'x' } },
      {},
      { scores: new Map([['x', 1]]) },
      true,
    ],
    ["contains, of an object's keys", { notes: { contains: 'x' } }, {}, { notes: { x: '' } }, true],
    ['startsWith', { title: { startsWith: 'The' } }, {}, { title: 'The Chess' }, true],
    ['startsWith, not', { title: { startsWith: 'The' } }, {}, { title: 'On The' }, false],
    ['endsWith', { title: { endsWith: '!' } }, {}, { title: 'Look!' }, true],
    ['endsWith, not', { title: { endsWith: '!' } }, {}, { title: '! Look' }, false],
    ['truthy', { pages: { truthy: true } }, {}, { pages: 7 }, true],
    ['truthy, not', { pages: { truthy: true } }, numbers, { pages: 0 }, false],
    [
      'a nested path',
      { author: { account: { isStaff: { truthy: true } } } },
      {},
      { author: staff() },
      true,
    ],
    [
      'a nested path, not',
      { author: { account: { isStaff: { truthy: true } } } },
      {},
      { author: other() },
      false,
    ],
    [
      'a nested path, as a transition',
      { author: { account: { isStaff: { nowEq: true } } } },
      { author: other() },
      { author: staff() },
      true,
    ],
    [
      'a nested path, as a transition that was there before',
      { author: { account: { isStaff: { nowEq: true } } } },
      { author: staff() },
      { pages: 9 },
      false,
    ],
    ['nowEq', { pages: { nowEq: 4 } }, numbers, { pages: 4 }, true],
    ['nowEq, held before', { pages: { nowEq: 3 } }, numbers, { title: 'x' }, false],
    ['nowNe', { pages: { nowNe: 3 } }, numbers, { pages: 4 }, true],
    ['nowNe, held before', { pages: { nowNe: 4 } }, numbers, { pages: 5 }, false],
    ['nowGt', { pages: { nowGt: 4 } }, numbers, { pages: 5 }, true],
    ['nowGt, held before', { pages: { nowGt: 2 } }, numbers, { pages: 5 }, false],
    ['nowGte', { pages: { nowGte: 4 } }, numbers, { pages: 4 }, true],
    ['nowGte, held before', { pages: { nowGte: 3 } }, numbers, { pages: 4 }, false],
    ['nowLt', { pages: { nowLt: 3 } }, numbers, { pages: 2 }, true],
    ['nowLt, held before', { pages: { nowLt: 4 } }, numbers, { pages: 2 }, false],
    ['nowLte', { pages: { nowLte: 2 } }, numbers, { pages: 2 }, true],
    ['nowLte, held before', { pages: { nowLte: 3 } }, numbers, { pages: 2 }, false],
    ['nowIs', { journal: { nowIs: null } }, { journal: 'Mind' }, { journal: null }, true],
    ['nowIs, held before', { journal: { nowIs: null } }, {}, { pages: 4 }, false],
    ['nowIsNot', { journal: { nowIsNot: null } }, {}, { journal: 'Mind' }, true],
    [
      'nowIsNot, held before',
      { journal: { nowIsNot: null } },
      { journal: 'Mind' },
      { journal: 'Nature' },
      false,
    ],
    ['nowIn', { pages: { nowIn: [4, 5] } }, numbers, { pages: 4 }, true],
    ['nowIn, held before', { pages: { nowIn: [3, 4] } }, numbers, { pages: 4 }, false],
    ['nowNotIn', { pages: { nowNotIn: [3] } }, numbers, { pages: 4 }, true],
    ['nowNotIn, held before', { pages: { nowNotIn: [7] } }, numbers, { pages: 4 }, false],
    ['nowContains', { keywords: { nowContains: 'a' } }, {}, { keywords: ['a'] }, true],
    [
      'nowContains, held before',
      { keywords: { nowContains: 'a' } },
      { keywords: ['a'] },
      { keywords: ['a', 'b'] },
      false,
    ],
    ['nowStartsWith', { title: { nowStartsWith: 'The' } }, {}, { title: 'The Chess' }, true],
    [
      'nowStartsWith, held before',
      { title: { nowStartsWith: 'On' } },
      {},
      { title: 'On Growth' },
      false,
    ],
    ['nowEndsWith', { title: { nowEndsWith: '!' } }, {}, { title: 'Look!' }, true],
    ['nowEndsWith, held before', { title: { nowEndsWith: 'rs' } }, {}, { title: 'Oars' }, false],
    ['nowTruthy', { pages: { nowTruthy: true } }, {}, { pages: 1 }, true],
    ['nowTruthy, held before', { pages: { nowTruthy: true } }, numbers, { pages: 4 }, false],
  ];
}

/** Declares an event for each condition: `paper.0`, `paper.1` and so on; and, on a create, `paper.made`. */
export function declarePaperEvents(): void {
  operatorCases(
    () => null,
    () => null,
  ).forEach(([, when], index) => {
    WebhookEvent<Paper>(`paper.${index}`, { on: 'change', when })(Paper);
  });
  WebhookEvent<Paper>('paper.made', { on: 'create', when: { pages: { nowEq: 9 } } })(Paper);
  WebhookEvent<Paper>('paper.unequal', { on: 'create', when: { pages: { nowNe: 9 } } })(Paper);
}
