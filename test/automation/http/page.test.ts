import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';
import { STATUS_KEY, type StackStatus } from '../../../automation/status';
import { ADMIN_TOKEN, adminListener, type AdminListener } from './admin-listener';
import { NOW, poolStatus, stackStatus, workerStatus } from './status';

const CHROMIUM = '/usr/bin/chromium';

describe('the page', function () {
  this.timeout(60_000);
  let browser: Browser;
  let admin: AdminListener;
  let page: Page;
  /** What the browser complained of: refused scripts, failed requests, exceptions. */
  let complaints: string[];

  before(async () => {
    if (!existsSync(CHROMIUM)) {
      throw new Error(`no ${CHROMIUM}: install the Debian package "chromium", or run \`npm test\` as root`);
    }
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  });
  after(() => browser?.close());
  beforeEach(async () => {
    admin = await adminListener();
    page = await browser.newPage();
    complaints = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(admin.url);
  });
  afterEach(async () => {
    await page.close();
    await admin.close();
  });

  const logIn = async (token = ADMIN_TOKEN): Promise<void> => {
    await page.getByLabel('Your name').fill('ada');
    await page.getByLabel('Admin token').fill(token);
    await page.getByRole('button', { name: 'Log in' }).click();
  };
  const publish = (status: StackStatus): Promise<void> =>
    admin.registry.memory.set('staging', STATUS_KEY, status);
  const numbers = (): Promise<string[]> => page.locator('[data-pool=ci] .numbers > div').allInnerTexts();

  it('says that a token is wrong, and forgets it', async () => {
    await logIn('not-the-admin-token');
    await page.getByText('This is not the admin token of this service.').waitFor();
    assert.equal(await page.locator('#stacks').innerText(), '');
    assert.equal(await page.evaluate('sessionStorage.length'), 0);
    assert.ok(await page.getByLabel('Admin token').isVisible());
  });

  it('shows a pool’s numbers, follows them, and the browser has nothing to complain of', async () => {
    await logIn();
    await page.getByText('All is well: 3 workers in 1 pool, 7 jobs wait.').waitFor();
    assert.deepEqual(
      (await numbers()).map((text) => text.replace(/\s+/g, ' ').trim()),
      [
        'Waiting 7',
        'Running 5',
        'Oldest waits 42 s',
        'Workers 3 of 3',
        'Bounds 0–40',
        'States 2 ready 1 booting',
        'Cost €0.034/h',
      ],
    );
    const rows = await page.locator('[data-worker]').allInnerTexts();
    assert.equal(rows.length, 3);
    assert.match(rows[0]!, /^ci-0001\s+ready\s+3\/4\s+cx33 fsn1\s+30 min\s+4 s ago\s+100\.64\.0\.7\s+Drain$/);
    await publish(
      stackStatus({
        pools: {
          ci: poolStatus({ queue: { kind: 'postgres', waiting: 1234 }, workers: [workerStatus('ci-0001')] }),
        },
      }),
    );
    await page.locator('.waiting dd', { hasText: '1234' }).waitFor();
    assert.equal(await page.locator('[data-worker]').count(), 1);
    assert.deepEqual(complaints, []);
  });

  it('updates in place: nodes stay, and what the reader folded stays folded', async () => {
    await logIn();
    await page.locator('summary').click();
    await page.evaluate("globalThis.row = document.querySelector('[data-worker=ci-0002]')");
    const workers = [workerStatus('ci-0000'), workerStatus('ci-0002', { busy: 4 })];
    await publish(stackStatus({ pools: { ci: poolStatus({ workers }) } }));
    await page.locator('[data-worker=ci-0000]').waitFor({ state: 'attached' });
    assert.equal(
      await page.evaluate("globalThis.row === document.querySelector('[data-worker=ci-0002]')"),
      true,
    );
    assert.match(
      await page.locator('[data-worker=ci-0002]').evaluate((row) => row.textContent ?? ''),
      /4\/4/,
    );
    assert.equal(await page.locator('details').getAttribute('open'), null);
  });

  it('shows alarms with what to do, and text from outside as text', async () => {
    const message = '<img src=x onerror=alert(1)> is sold out';
    await publish(
      stackStatus({
        alarms: [
          {
            code: 'sold-out',
            pool: 'ci',
            severity: 'critical',
            message,
            next: 'Add a placement.',
            since: NOW - 120,
          },
        ],
      }),
    );
    await logIn();
    const alarm = page.getByRole('list', { name: 'Alarms' }).getByRole('listitem');
    assert.equal((await alarm.innerText()).replace(/\s+/g, ' '), `${message} ci, for 2 min Add a placement.`);
    assert.equal(await page.locator('.verdict.critical p').innerText(), `1 critical alarm: ${message}`);
    assert.deepEqual(complaints, []);
  });

  it('drains a worker after asking why, in the person’s name', async () => {
    await logIn();
    await page.locator('[data-worker=ci-0001]').getByRole('button', { name: 'Drain' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Drain ci-0001?').waitFor();
    await dialog.getByRole('button', { name: 'Do it' }).click();
    assert.equal((await admin.registry.workers.list('staging'))[0]?.drain, undefined, 'no reason, no order');
    await dialog.getByLabel('Reason').fill('noisy disk');
    await dialog.getByRole('button', { name: 'Do it' }).click();
    await page.locator('.audit', { hasText: 'draining ci-0001: noisy disk by ada' }).waitFor();
    assert.equal(await dialog.count(), 0);
    assert.deepEqual((await admin.registry.workers.list('staging'))[0]?.drain, {
      cause: 'operator',
      reason: 'noisy disk',
      since: NOW,
    });
  });

  it('does nothing when the dialog is cancelled', async () => {
    await logIn();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    assert.deepEqual(await admin.registry.orders.read('staging'), { sizes: {}, rollouts: {} });
  });

  it('shows the service’s refusal and keeps the dialog', async () => {
    await publish(stackStatus({ pools: { ci: poolStatus({ workers: [workerStatus('ci-0007')] }) } }));
    await logIn();
    await page.locator('[data-worker=ci-0007]').getByRole('button', { name: 'Drain' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Reason').fill('x');
    await dialog.getByRole('button', { name: 'Do it' }).click();
    await dialog.getByText('ci-0007 has not registered yet').waitFor();
  });

  it('says that nobody answers, and shows what it knew last', async () => {
    await logIn();
    await page.locator('[data-pool=ci]').waitFor();
    await admin.close();
    await page.getByText(/^No answer \(.+\); trying on …$/).waitFor();
    assert.equal((await numbers()).length, 7);
  });

  it('stays logged in when loaded again, until logged out', async () => {
    await logIn();
    await page.locator('[data-pool=ci]').waitFor();
    await page.reload();
    await page.locator('[data-pool=ci]').waitFor();
    await page.getByRole('button', { name: 'Log out' }).click();
    assert.ok(await page.getByLabel('Admin token').isVisible());
    assert.equal(await page.locator('#stacks').innerText(), '');
  });

  for (const width of [360, 1280]) {
    it(`fits a window ${width} pixels wide`, async () => {
      await page.setViewportSize({ width, height: 800 });
      await logIn();
      await page.locator('[data-pool=ci]').waitFor();
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), width);
    });
  }
});
