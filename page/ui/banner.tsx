import { askAgain, trouble } from '../core/troubles.js';
import { t } from '../text/index.js';
import { loadText } from '../text/problem-text.js';
import { Button } from './basics.js';

/** Says, once for all parts of the page, that the server has a fault. It goes by itself when an answer comes. */
export function Banner() {
  const error = trouble.value;
  return (
    <div role="status">
      {error !== undefined && (
        <p class="away">
          {loadText(error)} {t().retrying}
          <Button onClick={() => askAgain()} isPassing>
            {t().tryAgain}
          </Button>
        </p>
      )}
    </div>
  );
}
