import { useState } from 'preact/hooks';
import { VERIFICATION } from '../core/verification.js';
import { t } from '../text/index.js';
import { Code } from '../ui/content.js';

export function VerificationCode() {
  const [chosen, setChosen] = useState<keyof typeof VERIFICATION>('Node');
  const names = Object.keys(VERIFICATION) as (keyof typeof VERIFICATION)[];
  return (
    <>
      <p class="hint">{t().verifyHint}</p>
      <div class="tabs" role="group" aria-label={t().verify}>
        {names.map((name) => (
          <button
            key={name}
            type="button"
            class="button"
            aria-pressed={name === chosen}
            onClick={() => setChosen(name)}
          >
            {name === 'Shell' ? t().shell : name}
          </button>
        ))}
      </div>
      <Code text={VERIFICATION[chosen]} label={chosen === 'Shell' ? t().shell : chosen} />
    </>
  );
}
