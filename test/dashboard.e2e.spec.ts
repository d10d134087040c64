import { browser, DESK, PHONE, Tab } from './support/browser.js';
import { Stack, until } from './support/stack.js';

if (browser.skip !== undefined)
  it.skip(`the dashboard in a browser (skipped: ${browser.skip})`, () => undefined);
const whenThere = browser.skip === undefined ? describe : describe.skip;

/** Every page that needs no id, and what must be on it. */
const PAGES = [
  ['overview', '/', 'Overview'],
  ['campaigns', '/campaigns', 'Campaigns'],
  ['new-campaign', '/campaigns/new', 'New campaign'],
  ['workers', '/workers', 'Workers'],
  ['devices', '/devices', 'Devices and models'],
] as const;

whenThere('the dashboard in a browser', () => {
  let stack: Stack;
  let tab: Tab;

  const go = async (path: string, heading: string) => {
    await tab.page.goto(`${stack.url}/#${path}`);
    await tab.page.getByRole('heading', { level: 1, name: heading }).waitFor();
    await until(
      () => tab.page.getByText(/^Loading /).count(),
      (loading) => loading === 0,
    );
  };

  beforeAll(async () => {
    stack = await Stack.start();
    stack.startWorker(await stack.enrol('bench-1'));
    tab = await Tab.open();
  }, 120_000);
  afterAll(async () => {
    await tab.close();
    await stack.stop();
  }, 60_000);
  afterEach(() => {
    expect(tab.errors.splice(0)).toEqual([]);
  });

  it('asks for a token, says why one is refused, and keeps a good one for this tab', async () => {
    const { page } = tab;
    await page.goto(stack.url);
    const token = page.getByLabel('token', { exact: false }).first();
    await token.fill('af_admin_wrong');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();
    // The browser itself reports the refused request.
    expect(tab.errors.splice(0).join()).toContain('401');
    await tab.screenshot('sign-in');
    await token.fill(stack.token);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    expect(await page.evaluate(() => localStorage.getItem('alphaflops.token'))).toBeNull();
    await page.reload();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
  });

  it('plans a campaign, shows it beforehand, and watches it to its end', async () => {
    const { page } = tab;
    await go('/campaigns', 'Campaigns');
    await page.getByText('No campaign yet').waitFor();
    await page.getByRole('link', { name: 'New campaign' }).click();
    await page.getByLabel('Name').fill('from the browser');
    await page.getByLabel('Budget').fill('120');
    await page.getByText('First 8 of 120 shapes').waitFor();
    await tab.screenshot('new-campaign-filled');
    await page.getByRole('button', { name: 'Start campaign' }).click();
    await page.getByRole('heading', { name: 'from the browser' }).waitFor();
    await page.locator('.progress-line').getByText('completed').waitFor({ timeout: 60_000 });
    await page.locator('figure[data-points="120"]').waitFor();
    await page.getByText('120 of 120').waitFor();
    await tab.screenshot('campaign');
  }, 90_000);

  it.each(PAGES)(
    'opens %s: nothing serious for axe in light and dark, no sideways scrolling on a phone',
    async (name, path, heading) => {
      for (const theme of ['light', 'dark'] as const) {
        await go(path, heading);
        await tab.page.getByLabel('Colours').selectOption(theme);
        expect(await tab.seriousFindings()).toEqual([]);
        await tab.screenshot(`${name}-${theme}`);
      }
      await tab.page.setViewportSize(PHONE);
      expect(await tab.overflow()).toBeLessThanOrEqual(0);
      await tab.screenshot(`${name}-phone`);
      await tab.page.setViewportSize(DESK);
    },
  );

  it('revokes a worker, after asking', async () => {
    await go('/workers', 'Workers');
    await tab.page.getByRole('button', { name: 'Revoke bench-1' }).click();
    await tab.screenshot('revoke');
    await tab.page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await tab.page.getByText('revoked', { exact: true }).waitFor();
    const { data } = await stack.api.GET('/v1/workers');
    expect(data?.items.map(({ desiredState }) => desiredState)).toEqual(['revoked']);
  });
});
