import { browser, Tab } from './support/browser.js';
import { Stack } from './support/stack.js';

if (browser.skip !== undefined)
  it.skip(`sign-in links in a browser (skipped: ${browser.skip})`, () => undefined);
const whenThere = browser.skip === undefined ? describe : describe.skip;

whenThere('a sign-in link in a browser', () => {
  let stack: Stack;
  let tab: Tab;
  let link: string;

  beforeAll(async () => {
    stack = await Stack.start();
    const { data } = await stack.api.POST('/v1/sign-in-codes', { body: {} });
    link = stack.url + (data?.path ?? '');
    tab = await Tab.open();
  }, 120_000);
  afterAll(async () => {
    await tab.close();
    await stack.stop();
  }, 60_000);

  it('signs in, removes the code from the address, and keeps the session after a reload', async () => {
    const { page } = tab;
    const requested: string[] = [];
    page.on('request', (request) => requested.push(request.url()));
    await page.goto(link);
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    expect(page.url()).toBe(`${stack.url}/#/`);
    expect(requested.filter((url) => url.includes('af_sign-in_'))).toEqual([]);
    await page.reload();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await page.goBack();
    expect(page.url()).not.toContain('af_sign-in_');
    expect(tab.errors.splice(0)).toEqual([]);
  });

  it('fails with a message when it is used again in another tab, and the page says what to do', async () => {
    const other = await Tab.open();
    try {
      const { page } = other;
      await page.goto(link);
      await page.getByRole('alert').getByText('was used before: it works once').waitFor();
      await page.getByText('alphaflops token link').first().waitFor();
      expect(await other.seriousFindings()).toEqual([]);
      await other.screenshot('sign-in-link-used');
      // The same tab takes a new link, though the page is open already.
      const { data } = await stack.api.POST('/v1/sign-in-codes', { body: {} });
      await page.goto(stack.url + (data?.path ?? ''));
      await page.getByRole('heading', { name: 'Overview' }).waitFor();
      expect(page.url()).toBe(`${stack.url}/#/`);
    } finally {
      await other.close();
    }
  });

  it('ends its session when the user signs out', async () => {
    const { page } = tab;
    await page.goto(stack.url);
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    const revoked = page.waitForResponse((answer) => answer.request().method() === 'DELETE');
    await page.getByRole('button', { name: 'Sign out' }).click();
    expect((await revoked).status()).toBe(204);
    await page.getByLabel('Token').waitFor();
  });
});
