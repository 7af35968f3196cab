import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { generateSecret } from '../../lib/index.js';
import { OwnerPage } from '../support/apps/owner-page.js';
import type { PageVisitor } from '../support/page-visitor.js';

const run = promisify(execFile);
const DATA = { title: "Zoë's \u202Eexe & <b>$(id)</b> `x`", big: 1, list: [{ a: 1 }, {}] };

let owner: OwnerPage;
let visitor: PageVisitor;
let page: Page;

beforeAll(async () => {
  owner = await OwnerPage.start({ maxStaleness: 100 });
}, 180_000);
afterAll(() => owner.stop());
beforeEach(async () => {
  visitor = await owner.visit();
  page = visitor.page;
});
afterEach(() => visitor.end());

describe('the request of a delivery', () => {
  it('is shown with its body, and copied as a command that sends the body again', async () => {
    const id = await owner.deliver(await owner.endpoint(), DATA);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.goto(owner.url(`/deliveries/${id}`));
    const body = page.getByRole('group', { name: 'Body' });
    await body.getByText('"title": ').waitFor();
    expect(await body.textContent()).toContain('\\u202eexe & <b>$(id)</b>');
    await page.getByText(`POST ${owner.receiver.url}`).waitFor();
    await visitor.expectAccessible();

    await body.getByText('"list": ').click();
    await body.getByText('"a": 1').waitFor({ state: 'hidden' });

    await page.getByRole('button', { name: 'Copy as curl' }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    const command = await page.evaluate<string>('navigator.clipboard.readText()');
    await run('sh', ['-c', command]);
    const [sent, again] = owner.receiver.received;
    expect(again!.body.equals(sent!.body)).toBe(true);
    expect(again!.headers['content-type']).toBe('application/json');

    const download = page.waitForEvent('download');
    await page
      .getByRole('figure')
      .filter({ has: body })
      .getByRole('button', { name: 'Download' })
      .click();
    expect((await download).suggestedFilename()).toBe(`${id}.json`);
  });

  it('says what is not known any more', async () => {
    const endpoint = await owner.endpoint();
    const id = await owner.deliver(endpoint, DATA);
    await owner.api.subscribers.update(endpoint, { description: 'other' }, 'any');
    await page.goto(owner.url(`/deliveries/${id}`));
    const changed = page.locator('.note').filter({ hasText: 'The endpoint was changed after' });
    await changed.getByText(/Not shown: URL, content type, body\.$/).waitFor();
    expect(await page.getByRole('button', { name: 'Copy as curl' }).count()).toBe(0);
  });

  it('offers no retry once the body was dropped', async () => {
    const id = await owner.deliver(await owner.endpoint(), DATA);
    await page.goto(owner.url(`/deliveries/${id}`));
    await page.getByRole('button', { name: 'Resend', exact: true }).waitFor();
    const messages = owner.api.app.get(DataSource).getRepository('ThornMessage');
    await messages.createQueryBuilder().update().set({ body: null }).execute();
    await page.reload();
    await page.getByText('The body is no longer stored').first().waitFor();
    const note = page.locator('.note').filter({ hasText: 'The body is no longer stored' }).last();
    expect((await note.textContent())!.trim()).toBe('The body is no longer stored.');
    expect(await page.getByRole('button', { name: 'Resend', exact: true }).count()).toBe(0);
  });
});

describe('why a signature does not match', () => {
  const old = generateSecret();
  const given = 'a secret that is only a text';
  const fill = async (fields: Readonly<Record<string, string>>) => {
    for (const [label, text] of Object.entries(fields)) await page.getByLabel(label).fill(text);
    await page.getByRole('button', { name: 'Compare' }).click();
    return page.getByRole('dialog').getByRole('status');
  };
  /** A delivery that was signed with two secrets, and failed at a server whose clock is off. */
  async function open(clock = Date.now()) {
    const endpoint = await owner.endpoint({ secret: old });
    const rotated = await owner.api.subscribers.rotateSecret(endpoint, { overlap: '1h' }, 'any');
    owner.receiver.otherwise({ status: 401, headers: { Date: new Date(clock).toUTCString() } });
    let delivery = '';
    // Requests are known from the time on at which every process knows the endpoint.
    await expect
      .poll(
        async () => {
          const id = await owner.deliver(endpoint, DATA);
          const answer = await owner.api.send('GET', `/hooks/deliveries/${id}/request`);
          delivery = id;
          return answer.body.body;
        },
        { interval: 200 },
      )
      .not.toBeNull();
    await page.goto(owner.url(`/deliveries/${delivery}`));
    const { headers, body } = owner.receiver.received.at(-1)!;
    await page.getByRole('button', { name: 'Why does my signature not match?' }).click();
    const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const;
    return {
      secret: rotated!.secrets[0]!.value,
      headers: names.map((name) => `${name}: ${String(headers[name])}`),
      body: body.toString(),
      time: String(headers['webhook-timestamp']),
      id: String(headers['webhook-id']),
    };
  }

  it('is found out in the browser, and nothing is sent', async () => {
    const sent = await open();
    await visitor.expectAccessible();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(`${request.url()} ${request.postData() ?? ''}`));
    const key = Buffer.from(sent.secret.slice(6), 'base64');
    const sign = (text: string, by: string | Buffer = key) =>
      createHmac('sha256', by).update(text).digest();
    const start = `${sent.id}.${sent.time}.`;
    const headers = sent.headers.join('\n');
    const cases: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
      [{ Secret: sent.secret }, 'paste the headers'],
      [{ Secret: sent.secret, Headers: headers }, 'The secret is the right one.'],
      [{ Secret: ` "${sent.secret}"`, Headers: headers }, 'blanks, line breaks or quotes around'],
      [{ Secret: sent.secret.slice(6), Headers: headers }, 'lacks whsec_'],
      [{ Secret: old, Headers: headers }, 'from before a rotation'],
      [{ Secret: given, Headers: headers }, 'did not make this signature'],
      [
        { Secret: sent.secret, Headers: headers.replace(sent.time, '1700000000') },
        'did not make this signature',
      ],
      [{ Secret: 'whsk_AAAA', Headers: headers }, 'This is the private key'],
      [{ Headers: headers }, 'The headers of the signature are all there'],
      [{ Headers: sent.headers.slice(0, 2).join('\n') }, 'webhook-signature is missing'],
      [{ Headers: headers.replace(sent.id, 'msg_1') }, 'of another event'],
      [{ Body: sent.body }, 'The body is the one that was sent.'],
      [{ Body: `${sent.body}\n` }, 'at its beginning or end'],
      [{ Body: JSON.stringify(JSON.parse(sent.body), null, 2) }, 'parsed and serialised again'],
      [{ Body: sent.body.slice(0, -10) }, 'The body is cut off'],
      [{ Body: sent.body.replace('"big":1', '"big":2') }, 'it differs from character'],
      [{ Body: Buffer.from(sent.body).toString('latin1') }, 'in another charset'],
      [
        {
          Secret: sent.secret,
          Headers: headers,
          Signature: sign(start + sent.body).toString('hex'),
        },
        'in hexadecimal',
      ],
      [
        {
          Secret: sent.secret,
          Headers: headers,
          Signature: sign(start + sent.body, sent.secret).toString('base64'),
        },
        'uses the text of the secret as the key',
      ],
      [
        {
          Secret: sent.secret,
          Headers: headers,
          Signature: `v1,${sign(sent.body).toString('base64')}`,
        },
        'signs something else',
      ],
      [
        {
          Secret: sent.secret,
          Headers: headers,
          Signature: sign(start + JSON.stringify(JSON.parse(sent.body), null, 2)).toString(
            'base64',
          ),
        },
        'parsed and serialised again',
      ],
    ];
    const labels: Readonly<Record<string, string>> = {
      Secret: 'Signing secret',
      Headers: 'Headers that your program saw',
      Body: 'Body that your program saw',
      Signature: 'Signature that your program computes',
    };
    for (const [fields, text] of cases) {
      const all = Object.entries(labels).map(([name, label]) => [label, fields[name] ?? '']);
      await (await fill(Object.fromEntries(all))).getByText(text).waitFor();
    }
    await visitor.expectAccessible();
    expect(asked.filter((one) => one.includes(sent.secret.slice(10, 20)))).toEqual([]);
    const own = /\/(?:hooks\/(?:deliveries\/dlv_[\w-]+|health)|assets\/[\w-]+\.js) $/;
    expect(asked.filter((one) => !own.test(one))).toEqual([]);
  });

  it('is the clock of a server that is an hour behind', async () => {
    await open(Date.now() - 3_600_000);
    const found = await fill({ 'Signing secret': 'x' });
    await expect.poll(() => found.textContent()).toContain('about 60 min behind');
  });
});
