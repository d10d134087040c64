import { browser, Tab } from './support/browser.js';
import { Stack, until } from './support/stack.js';

if (browser.skip !== undefined)
  it.skip(`public pages in a browser (skipped: ${browser.skip})`, () => undefined);
const whenThere = browser.skip === undefined ? describe : describe.skip;

/** Pages that need no token, and what has to be on them. */
const PAGES = [
  ['public-models', '/', 'Devices and models'],
  ['public-predict', '/predict', 'Predict'],
  ['public-compare', '/compare', 'Compare'],
  ['public-data', '/data', 'Data'],
] as const;

whenThere('the dashboard of a deployment that shows its models to everybody', () => {
  let stack: Stack;
  let tab: Tab;

  beforeAll(async () => {
    stack = await Stack.start({ ALPHAFLOPS_PUBLIC_READ: 'true' });
    stack.startWorker(await stack.enrol('hidden-machine'));
    const { api } = stack;
    const [deviceClass] = await until(
      async () => (await api.GET('/v1/device-classes')).data?.items ?? [],
      (classes) => classes.length > 0,
    );
    const target = { kind: 'device-class' as const, deviceClassId: deviceClass?.id ?? '' };
    const { data: campaign } = await api.POST('/v1/campaigns', {
      body: { name: 'hidden', target, design: { name: 'networklike', seed: 2 }, budget: { specs: 60 } },
    });
    const path = { id: campaign?.id ?? '' };
    await until(
      async () => (await api.GET('/v1/campaigns/{id}/progress', { params: { path } })).data?.modelId,
      (modelId) => typeof modelId === 'string',
    );
    await api.POST('/v1/datasets', { body: {} });
    tab = await Tab.open();
  }, 120_000);
  afterAll(async () => {
    await tab.close();
    await stack.stop();
  }, 60_000);
  afterEach(() => {
    expect(tab.errors.splice(0)).toEqual([]);
  });

  it.each(PAGES)('shows %s without a token, and nothing serious for axe', async (name, path, heading) => {
    await tab.go(stack.url, path, heading);
    expect(await tab.page.getByText('hidden-machine').count()).toBe(0);
    expect(await tab.page.getByRole('link', { name: 'Workers' }).count()).toBe(0);
    expect(await tab.look(name)).toEqual([]);
  });

  it('shows a model with its measured samples, and no button that changes something', async () => {
    const { page } = tab;
    await tab.go(stack.url, '/', 'Devices and models');
    await page.getByRole('link', { name: 'Fake device' }).click();
    await page.getByRole('heading', { name: 'Coefficients' }).waitFor();
    await page.getByRole('img', { name: /^All ok samples/ }).waitFor();
    for (const name of ['Fit all samples again', /^Retire/]) {
      expect(await page.getByRole('button', { name }).count()).toBe(0);
    }
    expect(await tab.look('public-device-class')).toEqual([]);
  });

  it('downloads a data set without ids', async () => {
    const { page } = tab;
    await tab.go(stack.url, '/data', 'Data');
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: /^canonical CSV/ }).click();
    expect((await download).suggestedFilename()).toMatch(/\.csv$/);
  });

  it('signs in by the button, and goes back without', async () => {
    const { page } = tab;
    await tab.go(stack.url, '/', 'Devices and models');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Read without signing in' }).click();
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByLabel('Token').fill(stack.token);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    expect(await page.getByRole('button', { name: 'Read without signing in' }).count()).toBe(0);
  });
});
