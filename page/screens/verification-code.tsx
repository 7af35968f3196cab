import { useState } from 'preact/hooks';
import { VERIFICATION } from '../core/verification.js';
import { t } from '../text/index.js';
import { Code } from '../ui/content.js';
import { Tabs } from '../ui/tabs.js';

export function VerificationCode() {
  const [chosen, setChosen] = useState<keyof typeof VERIFICATION>('Node');
  const names = Object.keys(VERIFICATION) as (keyof typeof VERIFICATION)[];
  return (
    <>
      <p class="hint">{t().verifyHint}</p>
      <Tabs
        label={t().verify}
        items={names.map((name) => [name, name === 'Shell' ? t().shell : name])}
        chosen={chosen}
        onChoose={setChosen}
      />
      <Code text={VERIFICATION[chosen]} label={chosen === 'Shell' ? t().shell : chosen} />
    </>
  );
}
