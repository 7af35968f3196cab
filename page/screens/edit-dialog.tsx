import { useState } from 'preact/hooks';
import { ApiError } from '../core/client.js';
import { owner, type TaggedEndpoint } from '../core/source.js';
import { useAction } from '../core/use-data.js';
import { t } from '../text/index.js';
import { Button, Note } from '../ui/basics.js';
import { Dialog } from '../ui/dialog.js';
import {
  type EndpointChanges,
  type ForeignChange,
  foreignChanges,
  labelsOf,
} from './endpoint-fields.js';
import { EndpointForm } from './endpoint-form.js';

interface DialogOptions {
  /** The endpoint as it was when the dialog was opened, or later. */
  readonly read: TaggedEndpoint;
  readonly onClose: () => void;
  /** Gets the labels of the fields that were saved; none when the user had changed nothing. */
  readonly onSaved: (labels: readonly string[]) => void;
}

/**
 * Changes an endpoint. When another user has changed it meanwhile, the dialog shows these changes first, so that they
 * are never overwritten unseen.
 */
export function EditDialog({ read, onClose, onSaved }: DialogOptions) {
  const [base, setBase] = useState(read);
  const [foreign, setForeign] = useState<readonly ForeignChange[]>([]);
  const [mine, setMine] = useState<EndpointChanges>({});
  const { id } = read.endpoint;
  const save = useAction(async (changes: EndpointChanges) => {
    const done = () => onSaved(labelsOf(changes));
    if (Object.keys(changes).length === 0) return done();
    setMine(changes);
    try {
      await owner.update(id, changes, base.tag);
      return done();
    } catch (error) {
      if (!isOutdated(error)) throw error;
    }
    const now = await owner.endpoint(id);
    // The change is made already, as after a lost answer.
    if (isMade(changes, now.endpoint)) return done();
    const found = foreignChanges(base.endpoint, now.endpoint);
    if (found.length === 0) {
      // The other user has changed nothing in the form, but for example whether the endpoint is enabled.
      await owner.update(id, changes, now.tag);
      return done();
    }
    setForeign(found);
    setBase(now);
  });
  return (
    <Dialog title={t().editEndpoint} onClose={onClose}>
      <EndpointForm
        endpoint={base.endpoint}
        submit={t().save}
        isBusy={save.isBusy}
        error={save.error}
        onSubmit={save.run}
        notice={<Foreign changes={foreign} mine={mine} />}
      >
        <Button onClick={onClose}>{t().cancel}</Button>
      </EndpointForm>
    </Dialog>
  );
}

interface ForeignOptions {
  readonly changes: readonly ForeignChange[];
  /** The fields that the user wanted to save. */
  readonly mine: object;
}

function Foreign({ changes, mine }: ForeignOptions) {
  const isMine = ({ names }: ForeignChange) => names.some((name) => name in mine);
  return (
    <div role="alert">
      {changes.length > 0 && (
        <Note>
          <p>{t().form.changedMeanwhile}</p>
          <dl class="facts">
            {changes.map((one) => (
              <div key={one.label}>
                <dt>{one.label}</dt>
                <dd>
                  <bdi class="break">{one.text}</bdi>
                  {isMine(one) && <small class="hint">{t().form.yoursReplaces}</small>}
                </dd>
              </div>
            ))}
          </dl>
        </Note>
      )}
    </div>
  );
}

function isOutdated(error: unknown): boolean {
  return error instanceof ApiError && error.status === 412;
}

/** True when an endpoint has every value of a change. */
function isMade(changes: object, endpoint: object): boolean {
  return Object.entries(changes).every(
    ([name, value]) => JSON.stringify(value) === JSON.stringify(endpoint[name as never]),
  );
}
