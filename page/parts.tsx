import { type JSX, render } from 'preact';
import { useState } from 'preact/hooks';
import type { ShellSettings } from '../lib/page/shell.js';
import type { ShownAttempt } from './core/deliveries.js';
import { begin } from './core/settings.js';
import { HealthLine } from './screens/endpoint-health.js';
import { Timeline } from './screens/attempts.js';
import style from './style/index.css?inline';
import { dateTime, day, hour, milliseconds, setLanguage, t } from './text/index.js';
import * as basics from './ui/basics.js';
import { Code, Content } from './ui/content.js';
import { Countdown } from './ui/countdown.js';
import { Dialog } from './ui/dialog.js';
import { EndpointName } from './ui/endpoint-name.js';
import { Figures, Plot } from './ui/plot.js';
import { Section } from './ui/screen.js';
import { Skeleton } from './ui/skeleton.js';
import { Table } from './ui/table.js';
import { Tabs } from './ui/tabs.js';

const { Badge, Button, Copyable, Empty, Field, Note, StatusCode, Time } = basics;

const HOUR = 3_600_000;
const NOW = Date.now();
const ago = (hours: number) => new Date(NOW - hours * HOUR).toISOString();
const HOURS = Array.from({ length: 24 }, (_, index) => ({
  start: ago(23 - index),
  attempts: 40 + ((index * 37) % 60),
  failed: index === 15 ? 30 : index % 7 === 0 ? 2 : 0,
  p50: 80 + ((index * 13) % 50),
}));
const ENDPOINTS = [
  { id: 'sub_1', url: 'https://search.example.com/webhooks', description: 'Search index' },
  { id: 'sub_2', url: 'https://partner.example.com/webhooks', description: null },
];
const ANSWER = '{\n  "error": "Service Unavailable",\n  "retry": true,\n  "after": 120\n}';
const refused = (number: number, hours: number): ShownAttempt => ({
  ...{ number, status: 503, error: null, startedAt: ago(hours), duration: 84 },
  ...{ response: ANSWER, answerHeaders: {} },
});
const ATTEMPTS = [
  ...[refused(1, 2), refused(2, 1.9)],
  { ...refused(3, 1), status: 200, duration: 62, response: null },
];

const SETTINGS: ShellSettings = {
  brand: { name: 'Acme webhooks', logo: undefined, accent: undefined, font: undefined },
  ...{ api: '.', operatorApi: null, operatorBodies: false, links: [], documents: {}, origins: [] },
  ...{ signIn: undefined, language: undefined },
  bodies: { changed: false, fields: false, thin: null, template: false },
};

/** Every part of the page by the name that the guide calls it, with values that could be real. */
const PARTS: Readonly<Record<string, () => JSX.Element>> = {
  buttons: () => (
    <div class="stack">
      <Button kind="primary">Add endpoint</Button>
      <Button>Edit</Button>
      <Button kind="danger">Delete</Button>
      <Button isBusy>Save</Button>
      <Button kind="quiet">Copy</Button>
      <Copyable text="msg_1" label="Copy id" />
    </div>
  ),
  tabs: () => <Periods />,
  fields: () => (
    <div class="form">
      <Field label="URL" hint={t().urlHint}>
        {(attributes) => <input type="url" {...attributes} />}
      </Field>
      <Field label="URL" error={t().refusals['malformed-url']()}>
        {(attributes) => <input type="url" value="example" {...attributes} />}
      </Field>
      <label class="choice">
        <input type="checkbox" checked />
        <span>
          {t().order.ordered}
          <small>{t().order.orderedHint}</small>
        </span>
      </label>
    </div>
  ),
  notes: () => (
    <>
      <Note tone="good">{t().retried}</Note>
      <Note>{t().unverifiedNote}</Note>
      <Note tone="bad">{t().limits.fault(dateTime(NOW))}</Note>
      <Note tone="off">{t().disabledNote}</Note>
    </>
  ),
  states: () => (
    <div class="stack">
      {(['active', 'succeeded', 'failing', 'failed', 'pending', 'disabled'] as const).map((one) => (
        <Badge key={one} state={one} />
      ))}
      <StatusCode status={200} />
      <StatusCode status={503} />
      <Time at={ago(3)} />
    </div>
  ),
  table: () => (
    <Table
      caption={t().endpoints}
      rows={ENDPOINTS}
      isWhole
      keyOf={({ id }) => id}
      columns={[
        {
          title: t().endpoint,
          kind: 'name',
          cell: (one) => <EndpointName {...one} href="#lists" />,
        },
        { title: t().state, cell: () => <Badge state="active" /> },
        { title: t().attempts, kind: 'number', cell: () => '1,204', sort: ({ id }) => id },
      ]}
    />
  ),
  tiles: () => (
    <Figures
      items={[
        [t().successRate, '98.7 %'],
        [t().attempts, '1,204'],
        [t().health.failedAttempts, '16', 'bad'],
        [t().p95, '310 ms'],
      ]}
    />
  ),
  bars: () => (
    <Plot
      as="bars"
      label={t().figures.perHour}
      items={HOURS}
      nameOf={({ start }) => hour(start)}
      series={[
        { kind: 'succeeded', title: t().succeeded, value: (one) => one.attempts - one.failed },
        { kind: 'failed', title: t().failed, value: ({ failed }) => failed },
      ]}
    />
  ),
  lines: () => (
    <Plot
      as="lines"
      label={t().figures.durations}
      items={HOURS}
      nameOf={({ start }) => hour(start)}
      series={[{ kind: 'p50', title: t().median, value: ({ p50 }) => p50 }]}
      format={milliseconds}
    />
  ),
  health: () => (
    <HealthLine
      days={Array.from({ length: 14 }, (_, index) => ({
        name: day(ago(24 * (13 - index))),
        attempts: index === 4 ? 0 : 120,
        failed: index === 10 ? 120 : index === 11 ? 30 : 0,
      }))}
    />
  ),
  timeline: () => <Timeline attempts={ATTEMPTS} />,
  json: () => <Content label={t().answer} text={ANSWER} name="answer.json" />,
  code: () => <Code label={t().shell} text="npx thorn listen --port 4000" />,
  facts: () => (
    <dl class="facts facts-row">
      <div>
        <dt>{t().created}</dt>
        <dd>
          <Time at={ago(26)} />
        </dd>
      </div>
      <div>
        <dt>{t().nextAttempt}</dt>
        <dd>
          <Countdown until={ago(-1)} />
        </dd>
      </div>
      <div>
        <dt>{t().messageId}</dt>
        <dd class="mono break">msg_01981f0c27d07000a1b2c3d4e5f60718</dd>
      </div>
    </dl>
  ),
  dialog: () => <Opened />,
  empty: () => (
    <Empty title={t().noEndpoints} hint={t().noEndpointsHint}>
      <Button kind="primary">{t().addEndpoint}</Button>
    </Empty>
  ),
  loading: () => <Skeleton as="tiles rows" />,
  section: () => (
    <Section title={t().recentDeliveries} actions={<a href="#lists">{t().allDeliveries}</a>}>
      <p class="hint">{t().noDeliveriesHint}</p>
    </Section>
  ),
};

function Periods() {
  const [chosen, setChosen] = useState<string>('hour');
  return (
    <Tabs
      label={t().time}
      items={[
        ['hour', t().figures.byHour],
        ['day', t().figures.byDay],
      ]}
      chosen={chosen}
      onChoose={setChosen}
    />
  );
}

function Opened() {
  const [isOpen, setOpen] = useState(false);
  const close = () => setOpen(false);
  return (
    <>
      <Button onClick={() => setOpen(true)}>{t().disable}</Button>
      {isOpen && (
        <Dialog title={t().disableTitle} onClose={close}>
          <p>{t().disableHint}</p>
          <div class="form-end">
            <Button onClick={close}>{t().cancel}</Button>
            <Button kind="danger" onClick={close}>
              {t().disable}
            </Button>
          </div>
        </Dialog>
      )}
    </>
  );
}

/** Shows each part in the elements of the guide that name it by `data-part`, in light and in dark. */
export async function showParts(): Promise<void> {
  begin(SETTINGS, document.createElement('div'));
  await setLanguage('en');
  for (const place of document.querySelectorAll<HTMLElement>('[data-part]')) {
    const Part = PARTS[place.dataset['part']!];
    if (Part === undefined) throw new Error(`There is no part ${place.dataset['part']}.`);
    for (const theme of ['light', 'dark']) {
      const host = document.createElement('div');
      place.append(host);
      const app = document.createElement('div');
      Object.assign(app, { className: 'portal', lang: 'en' }).dataset['theme'] = theme;
      app.style.padding = 'var(--space-l)';
      const sheet = document.createElement('style');
      sheet.textContent = style;
      host.attachShadow({ mode: 'open' }).append(sheet, app);
      begin(SETTINGS, app);
      render(<Part />, app);
    }
  }
}
