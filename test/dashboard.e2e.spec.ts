import { Redis } from 'ioredis';
import { browser, Tab } from './support/browser.js';
import { end, Stack, until } from './support/stack.js';

if (browser.skip !== undefined)
  it.skip(`the dashboard in a browser (skipped: ${browser.skip})`, () => undefined);
const whenThere = browser.skip === undefined ? describe : describe.skip;

/** Every page that needs no id, and its required content. */
const PAGES = [
  ['overview', '/', 'Overview'],
  ['campaigns', '/campaigns', 'Campaigns'],
  ['new-campaign', '/campaigns/new', 'New campaign'],
  ['workers', '/workers', 'Workers'],
  ['devices', '/devices', 'Devices and models'],
  ['predict', '/predict', 'Predict'],
  ['compare-one', '/compare', 'Compare'],
  ['data', '/data', 'Data'],
] as const;

whenThere('the dashboard in a browser', () => {
  let stack: Stack;
  let tab: Tab;

  const go = (path: string, heading: string) => tab.go(stack.url, path, heading);

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

  it('requests a token, shows why a token is refused, and keeps a valid one for this tab', async () => {
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

  it('plans a campaign, shows a preview, and follows it to its end', async () => {
    const { page } = tab;
    await go('/campaigns', 'Campaigns');
    await page.getByText('No campaign yet').waitFor();
    await page.getByRole('link', { name: 'New campaign' }).click();
    await page.getByLabel('Name').fill('from the browser');
    await page.getByLabel('Budget, convolutions').fill('120');
    await page.getByText('First 8 of 120 shapes').waitFor();
    await tab.screenshot('new-campaign-filled');
    await page.getByRole('button', { name: 'Start campaign' }).click();
    await page.getByRole('heading', { name: 'from the browser' }).waitFor();
    await page.locator('.progress-line').getByText('completed').waitFor({ timeout: 60_000 });
    // Ten shapes are visited twice.
    await page.locator('figure[data-points="130"]').waitFor();
    await page.getByText('130 of 130').waitFor();
    expect(tab.errors).toEqual([]);
    await tab.screenshot('campaign');
  }, 90_000);

  it('reports on every page that Redis has no memory left', async () => {
    const redis = new Redis(stack.redis.port, { password: stack.redis.address.password ?? '' });
    try {
      await redis.config('SET', 'maxmemory', '1');
      await tab.page.reload();
      await tab.page.getByRole('alert').getByText('queue: OOM command not allowed').waitFor();
      await tab.screenshot('redis-full');
    } finally {
      await redis.config('SET', 'maxmemory', '0');
      redis.disconnect();
    }
    await tab.page.reload();
    await tab.page.getByRole('heading', { level: 1 }).waitFor();
    expect(await tab.page.getByRole('alert').count()).toBe(0);
    // The browser itself reports the answer 503.
    expect(tab.errors.splice(0).every((error) => error.includes('503'))).toBe(true);
  });

  it.each(PAGES)(
    'opens %s: nothing serious for axe, no sideways scrolling on a phone',
    async (name, path, heading) => {
      await go(path, heading);
      expect(await tab.look(name)).toEqual([]);
    },
  );

  it('shows recent events and problems on the overview', async () => {
    const { page } = tab;
    /** Adds the data of a longer history to an answer. */
    const added = (pattern: string, add: (items: Record<string, unknown>[]) => void) =>
      page.route(pattern, async (route) => {
        const answer = await route.fetch();
        const body = (await answer.json()) as { items: Record<string, unknown>[] };
        add(body.items);
        await route.fulfill({ response: answer, json: body });
      });
    await added('**/v1/workers?*', (items) => {
      items.push({ ...items[0], id: 'worker-x', name: 'rack-9', presence: 'offline' });
    });
    await added('**/v1/campaigns?limit=5', (items) => {
      const learning = [50, 100, 200].map((shapes) => ({ shapes, medianApe: 10 / shapes }));
      Object.assign(items[0] ?? {}, { learning });
    });
    await go('/', 'Overview');
    await page.reload();
    await page.getByRole('link', { name: 'Worker rack-9 is offline' }).waitFor();
    await page.getByRole('img', { name: 'Samples per minute over the last day' }).waitFor();
    await page.getByRole('img', { name: /^median error from 20.0 % with 50 shapes to 5.0 %/ }).waitFor();
    const fleet = page.getByRole('region', { name: 'Fleet by state' });
    expect(await fleet.getByRole('row').count()).toBe(3);
    const classes = page.getByRole('region', { name: 'Device classes' });
    await classes.getByRole('link', { name: /Fake device/ }).waitFor();
    expect(await tab.look('overview-attention')).toEqual([]);
    await page.unrouteAll();
  });

  it('shows the model of a device class: figures, errors, coefficients, versions', async () => {
    const { page } = tab;
    // A series along the size that the campaign has not measured, by the law of the fake executor.
    await page.route('**/v1/samples/stream?*', async (route) => {
      const answer = await route.fetch();
      const csv = await answer.text();
      await route.fulfill({ response: answer, body: csv + sizeSeries(csv.slice(0, csv.indexOf('\n'))) });
    });
    await go('/devices', 'Devices and models');
    await page.getByRole('link', { name: 'Fake device' }).click();
    await page.getByRole('heading', { name: 'Coefficients' }).waitFor();
    await page.getByRole('table').getByText('3×3', { exact: true }).waitFor();
    await page.getByRole('img', { name: /^Predicted against measured time/ }).waitFor();
    // Four figures of an axis with the lines of the chosen form, of α and of FLOPs.
    await until(
      () => page.locator('.legend .line').count(),
      (lines) => lines === 4,
    );
    expect(await page.getByRole('img', { name: /^Time against/ }).count()).toBe(4);
    await page.getByRole('img', { name: /^Time against height = width.* 12 points$/ }).waitFor();
    expect(await tab.look('device-class')).toEqual([]);
    await page.unroute('**/v1/samples/stream?*');
  });

  it('predicts layers that are typed, as table, CSV and link', async () => {
    const { page } = tab;
    await go('/predict', 'Predict');
    await page.getByRole('button', { name: 'Example: a ResNet-50 block' }).click();
    await page.getByText('Total of 3').waitFor();
    // 56² points: 256·64 + 64·64·9 + 64·256 multiply-adds each
    await page.getByRole('cell', { name: '218 M', exact: true }).waitFor();
    await page.getByLabel('Cout of layer 2').fill('128');
    await page.getByRole('cell', { name: '334 M', exact: true }).waitFor();
    expect(await tab.look('predict-example')).toEqual([]);
    const csv = await tab.copied('Copy as CSV');
    expect(csv.split('\n')[0]).toContain('predicted_ms,lower_ms,upper_ms,alpha,alpha_flops,in_domain');
    expect(csv.trim().split('\n')).toHaveLength(4);
    await page.reload();
    await page.goto(await tab.copied('Copy link'));
    expect(await page.getByLabel('Cout of layer 1').inputValue()).toBe('128');
  });

  it('makes a join token and shows the line to run', async () => {
    const { page } = tab;
    await go('/workers', 'Workers');
    await page.getByRole('button', { name: 'Add a node' }).click();
    await page.getByLabel('Labels').fill('rack=7');
    expect(await tab.seriousFindings()).toEqual([]);
    await page.getByRole('button', { name: 'Make the token' }).click();
    const line = await page.getByLabel('Command to run on the node').innerText();
    expect(line).toMatch(/^curl -fsS http:\S+\/join\.sh \| sh -s -- af_join_\S+$/);
    expect(await tab.copied('Copy the line')).toBe(line);
    await page.getByText('Waiting for the machine').waitFor();
    await tab.screenshot('add-node');
    const pasted = stack.startWorker(await stack.enrol('pasted'));
    await page.getByText(/^pasted is online/).waitFor();
    await end(pasted.child, 'SIGTERM');
    await page.getByRole('button', { name: 'Done' }).click();
    const { data } = await stack.api.GET('/v1/join-tokens');
    expect(data?.some(({ labels }) => labels['rack'] === '7')).toBe(true);
  });

  it('supports the main actions by keyboard', async () => {
    const { page } = tab;
    const tabTo = async (name: string) => {
      const focused = () =>
        page.evaluate(() => {
          const { activeElement: element } = document;
          return element?.getAttribute('aria-label') ?? element?.textContent ?? '';
        });
      for (let presses = 0; (await focused()) !== name; presses += 1) {
        expect(presses).toBeLessThan(60);
        await page.keyboard.press('Tab');
      }
    };
    await page.goto(`${stack.url}/#/workers`);
    await page.reload();
    await page.getByRole('button', { name: 'Revoke bench-1' }).waitFor();
    await tabTo('Skip to the content');
    await tabTo('Revoke bench-1');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await page.reload();
    await tabTo('Campaigns');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Campaigns', level: 1 }).waitFor();
    await tabTo('New campaign');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'New campaign' }).waitFor();
    await page.getByLabel('Name').fill('by keyboard');
    await page.getByLabel('Name').press('Enter');
    await page.getByRole('heading', { name: 'by keyboard' }).waitFor();
  });

  it('plots 100,000 points and stays responsive', async () => {
    const { page } = tab;
    await page.route('**/v1/samples/stream?*', (route) =>
      route.fulfill({ contentType: 'text/csv', body: manySamples(100_000) }),
    );
    await page.evaluate(() => {
      const seen = window as unknown as { longestMs: number };
      seen.longestMs = 0;
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) seen.longestMs = Math.max(seen.longestMs, duration);
      }).observe({ type: 'longtask' });
    });
    await page.goto(`${stack.url}/#/data`);
    await page.locator('figure[data-points="100000"] canvas').waitFor();
    await tab.screenshot('data-100000');
    const longestMs = await page.evaluate(() => (window as unknown as { longestMs: number }).longestMs);
    await page.unroute('**/v1/samples/stream?*');
    expect(longestMs).toBeLessThan(3_000);
  });

  it('loads at most 300 kB, compressed, on the first visit', async () => {
    await go('/', 'Overview');
    await tab.page.reload();
    const bytes = await tab.page.evaluate(() =>
      performance
        .getEntries()
        .filter((entry): entry is PerformanceResourceTiming => entry instanceof PerformanceResourceTiming)
        .filter(({ name }) => !name.includes('/v1/'))
        .map(({ encodedBodySize }) => encodedBodySize),
    );
    expect(bytes.length).toBeGreaterThanOrEqual(3);
    expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(300_000);
  });

  it('revokes a worker after a confirmation', async () => {
    await go('/workers', 'Workers');
    await tab.page.getByRole('button', { name: 'Revoke bench-1' }).click();
    await tab.screenshot('revoke');
    await tab.page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await tab.page.getByText('revoked', { exact: true }).waitFor();
    const { data } = await stack.api.GET('/v1/workers');
    const revoked = data?.items.filter(({ desiredState }) => desiredState === 'revoked');
    expect(revoked?.map(({ name }) => name)).toEqual(['bench-1']);
  });
});

/** Twelve rows of canonical CSV that differ only in size. Other columns are empty. */
function sizeSeries(header: string): string {
  const rows = Array.from({ length: 12 }, (_, at) => {
    const side = 8 * (at + 1);
    const fields: Record<string, string | number> = {
      ...{ batch: 1, height: side, width: side, cin: 32, cout: 32, kernel_h: 3, kernel_w: 3 },
      ...{ stride: 1, groups: 1, dtype: 'f32', padding: 'same', layout: 'NCHW' },
      time_ms: 0.02 + (side * side * 32 * 32 * 9) / 2e7,
    };
    return header
      .split(',')
      .map((column) => fields[column] ?? '')
      .join(',');
  });
  return [...rows, ''].join('\n');
}

/** Canonical CSV of simulated samples. */
function manySamples(count: number): string {
  const rows = Array.from({ length: count }, (_, at) => {
    const side = 1 + (at % 224);
    const channels = 1 + ((at * 7) % 512);
    const kernel = 1 + 2 * (at % 3);
    const timeMs = (0.02 + (side * side * channels * 64 * kernel * kernel) / 1e10) * (1 + (at % 17) / 17);
    return `1,${side},${side},${channels},64,${kernel},${kernel},1,1,f32,same,NCHW,${timeMs}`;
  });
  const header = 'batch,height,width,cin,cout,kernel_h,kernel_w,stride,groups,dtype,padding,layout,time_ms';
  return [header, ...rows, ''].join('\n');
}
