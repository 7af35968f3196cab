import { useRef, useState } from 'preact/hooks';
import { now } from '../core/clock.js';
import { operator } from '../core/operator.js';
import { useSteps } from '../core/use-steps.js';
import { number, t } from '../text/index.js';
import { Button, Field } from '../ui/basics.js';
import { LongWork } from '../ui/long-work.js';
import { Screen, Section } from '../ui/screen.js';

const DAY = 86_400_000;
const AGES = [2, 7, 30, 90];

/** Long work on stored data. */
export function OperatorMaintenance() {
  const [open, setOpen] = useState<'prune' | 'reseal'>();
  const texts = t().operators;
  const close = () => setOpen(undefined);
  return (
    <Screen title={texts.maintenance} lead={texts.maintenanceLead}>
      <Section title={texts.prune}>
        <p class="faint">{texts.pruneHint}</p>
        <Button onClick={() => setOpen('prune')}>{texts.prune}</Button>
      </Section>
      <Section title={texts.reseal}>
        <p class="faint">{texts.resealHint}</p>
        <Button onClick={() => setOpen('reseal')}>{texts.reseal}</Button>
      </Section>
      {open === 'prune' && <PruneDialog onClose={close} />}
      {open === 'reseal' && <ResealDialog onClose={close} />}
    </Screen>
  );
}

function PruneDialog({ onClose }: { readonly onClose: () => void }) {
  const texts = t().operators;
  const [age, setAge] = useState('');
  // The same time in all steps.
  const before = useRef<object>({});
  const steps = useSteps<Pruned>(async (after, sum = { checked: 0, deleted: 0, bodies: 0 }) => {
    const step = await operator.prune({ ...before.current, ...(after && { after }) });
    return {
      sum: {
        checked: sum.checked + step.checked,
        deleted: sum.deleted + step.deleted,
        bodies: sum.bodies + step.bodies,
      },
      next: step.next,
    };
  });
  return (
    <LongWork
      title={texts.prune}
      hint={texts.pruneHint}
      start={texts.start}
      isDanger
      steps={steps}
      asked={age}
      onClose={onClose}
      progressOf={({ checked, deleted, bodies }) =>
        `${texts.checked(number(checked))}: ${texts.pruned(number(deleted), number(bodies))}`
      }
      count={async () => {
        before.current =
          age === '' ? {} : { before: new Date(now() - Number(age) * DAY).toISOString() };
        const { deleted, bodies, next } = await operator.prune({ ...before.current, dryRun: true });
        return {
          text: texts.wouldPrune(number(deleted), number(bodies), next === null),
          isNothing: deleted + bodies === 0 && next === null,
        };
      }}
    >
      <Field label={texts.pruneBefore}>
        {(attributes) => (
          <select
            {...attributes}
            value={age}
            onChange={({ currentTarget }) => setAge(currentTarget.value)}
          >
            <option value="">{texts.pruneByOptions}</option>
            {AGES.map((days) => (
              <option key={days} value={String(days)}>
                {texts.daysAgo(days)}
              </option>
            ))}
          </select>
        )}
      </Field>
    </LongWork>
  );
}

interface Pruned {
  readonly checked: number;
  readonly deleted: number;
  readonly bodies: number;
}

interface Resealed {
  readonly checked: number;
  readonly resealed: number;
  readonly unreadable: number;
}

function ResealDialog({ onClose }: { readonly onClose: () => void }) {
  const texts = t().operators;
  const steps = useSteps<Resealed>(
    async (after, sum = { checked: 0, resealed: 0, unreadable: 0 }) => {
      const step = await operator.reseal(after === undefined ? {} : { after });
      return {
        sum: {
          checked: sum.checked + step.checked,
          resealed: sum.resealed + step.resealed,
          unreadable: sum.unreadable + step.unreadable.length,
        },
        next: step.next,
      };
    },
  );
  const unreadable = (count: number) => (count === 0 ? '' : ` ${texts.unreadable(number(count))}`);
  return (
    <LongWork
      title={texts.reseal}
      hint={texts.resealHint}
      start={texts.start}
      steps={steps}
      onClose={onClose}
      progressOf={(sum) =>
        `${texts.checked(number(sum.checked))}: ${texts.resealed(number(sum.resealed))}.${unreadable(sum.unreadable)}`
      }
      count={async () => {
        const found = await operator.reseal({ dryRun: true });
        return {
          text:
            texts.wouldReseal(number(found.resealed), found.next === null) +
            unreadable(found.unreadable.length),
          isNothing: found.resealed === 0 && found.next === null,
        };
      }}
    />
  );
}
