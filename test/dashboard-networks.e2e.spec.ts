/** Whole networks, energy, versions and the data card in the dashboard, on devices that count energy. */
import { readFile } from 'node:fs/promises';
import { onnxFile, resNet50 } from '@alphaflops/networks/testing';
import { browser, Tab } from './support/browser.js';
import { Stack, until } from './support/stack.js';

if (browser.skip !== undefined)
  it.skip(`networks in the dashboard (skipped: ${browser.skip})`, () => undefined);
const whenThere = browser.skip === undefined ? describe : describe.skip;

whenThere('networks in the dashboard', () => {
  let stack: Stack;
  let tab: Tab;
  let counting: string;

  /** Measures a device class, with energy if the device counts it, until a model is published. */
  const measured = async (executor: string, energy: boolean): Promise<string> => {
    const { data } = await stack.api.GET('/v1/device-classes');
    const deviceClassId = data?.items.find((each) => each.executor === executor)?.id ?? '';
    const { data: campaign } = await stack.api.POST('/v1/campaigns', {
      body: {
        ...{ name: executor, target: { kind: 'device-class', deviceClassId } },
        repeats: 0,
        ...{ design: { name: 'networklike', seed: 3 }, budget: { specs: 60 } },
        energy,
      },
    });
    const path = { id: campaign?.id ?? '' };
    await until(
      async () => (await stack.api.GET('/v1/campaigns/{id}/progress', { params: { path } })).data?.modelId,
      (modelId) => typeof modelId === 'string',
    );
    return deviceClassId;
  };

  beforeAll(async () => {
    stack = await Stack.start();
    for (const executor of ['fake', 'fake-gpu']) stack.startWorker(await stack.enrol(executor, executor));
    await until(
      async () => (await stack.api.GET('/v1/devices')).data?.items ?? [],
      (devices) => new Set(devices.map(({ deviceClassId }) => deviceClassId)).size === 2,
    );
    [, counting, tab] = await Promise.all([measured('fake', false), measured('fake-gpu', true), Tab.open()]);
    await tab.page.goto(stack.url);
    await tab.page.getByLabel('token', { exact: false }).first().fill(stack.token);
    await tab.page.keyboard.press('Enter');
    await tab.page.getByRole('heading', { name: 'Overview' }).waitFor();
  }, 120_000);
  afterAll(async () => {
    await tab.close();
    await stack.stop();
  }, 60_000);
  afterEach(() => {
    expect(tab.errors.splice(0)).toEqual([]);
  });

  const drop = async (name: string, bytes: Uint8Array) => {
    const file = await tab.page.evaluateHandle(
      ([fileName, content]) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([Uint8Array.from(content)], fileName));
        return transfer;
      },
      [name, [...bytes]] as const,
    );
    await tab.page.locator('.drop').dispatchEvent('drop', { dataTransfer: file });
  };

  it('reads a dropped network and shows the cost of each layer and the total, side by side', async () => {
    const { page } = tab;
    await tab.go(stack.url, '/predict', 'Predict');
    for (const box of await page.getByRole('checkbox').all()) await box.check();
    await drop('resnet50.onnx', onnxFile(resNet50()));
    await page.getByText('54 layers with a cost, 36 without').waitFor();
    await page.getByText(/^Not costed: .*16 Add/).waitFor();
    await page.getByText('Total of 54').first().waitFor();
    await page.getByRole('cell', { name: '4.09 G', exact: true }).first().waitFor();
    await page.getByLabel('Grid intensity', { exact: false }).fill('400');
    const totals = page.getByRole('region', { name: 'Totals by device class' });
    await totals.getByText('CO2e of a million, kg').waitFor();
    expect(await totals.getByRole('row').count()).toBe(3);
    expect(await page.getByRole('region', { name: 'Devices side by side' }).getByRole('row').count()).toBe(
      56,
    );
    expect(await tab.look('predict-network')).toEqual([]);
    const csv = (await tab.copied('Copy as CSV')).trim().split('\n');
    expect(csv).toHaveLength(55);
    expect(csv[1]).toMatch(/^conv_0,1,224,224,3,64,7,7,2,1,f32,same,NCHW,/);
    // The same layers without the file.
    const link = await tab.copied('Copy link');
    await page.goto('about:blank');
    await page.goto(link);
    await page.getByRole('cell', { name: '4.09 G', exact: true }).first().waitFor();
    expect(await page.getByLabel('Grid intensity', { exact: false }).inputValue()).toBe('400');
  });

  it('costs the example networks at a click, with their known multiply-adds, and says what has no cost', async () => {
    const { page } = tab;
    await tab.go(stack.url, '/predict', 'Predict');
    for (const [name, layers, work] of [
      ['ResNet-50', 54, '4.09 G'],
      ['MobileNetV2', 53, '301 M'],
      ['VGG-16', 16, '15.5 G'],
      ['U-Net with dilation', 25, '53 G'],
    ] as const) {
      await page.getByRole('button', { name, exact: true }).click();
      await page.getByText(`Total of ${layers}`).first().waitFor();
      await page.getByRole('cell', { name: work, exact: true }).first().waitFor();
    }
    await page.getByText(/^Not in the total, because they do not multiply: .*MaxPool/).waitFor();
    expect(await tab.look('predict-u-net')).toEqual([]);
  });

  it('compares device classes: figures, speed-up, winners, and a link that says it all', async () => {
    const { page } = tab;
    await tab.go(stack.url, '/compare', 'Compare');
    await page
      .getByRole('img', { name: /^α along/ })
      .nth(3)
      .waitFor();
    expect(await page.getByRole('region', { name: 'Speed-up', exact: true }).getByRole('row').count()).toBe(
      3,
    );
    await page.getByLabel('Layers or network').selectOption('ResNet-50');
    const wins = page.getByRole('region', { name: 'Where each one wins', exact: true });
    await wins.waitFor();
    await page.getByRole('button', { name: 'Energy', exact: true }).click();
    await page
      .getByRole('img', { name: /^Energy along/ })
      .first()
      .waitFor();
    await page.getByRole('spinbutton', { name: 'Batch size' }).fill('8');
    await page.getByText('batch of 8 images').waitFor();
    expect(page.url()).toMatch(/~n8~eresnet-50~qenergy$/);
    expect(await tab.look('compare')).toEqual([]);
    const link = await tab.copied('Copy link');
    await page.goto('about:blank');
    await page.goto(link);
    await page
      .getByRole('img', { name: /^Energy along/ })
      .first()
      .waitFor();
    expect(await page.getByRole('spinbutton', { name: 'Batch size' }).inputValue()).toBe('8');
    expect(await page.getByLabel('Layers or network').inputValue()).toBe('resnet-50');
  });

  it('saves a figure as SVG and as PNG', async () => {
    const { page } = tab;
    await tab.go(stack.url, '/compare', 'Compare');
    const figure = page.getByRole('button', { name: /^Save “α along input channels” as/ });
    const saved = async (format: string) => {
      const download = page.waitForEvent('download');
      await figure.filter({ hasText: format }).click();
      const file = await download;
      expect(file.suggestedFilename()).toBe(`α-along-input-channels.${format.toLowerCase()}`);
      return readFile(await file.path());
    };
    const svg = (await saved('SVG')).toString();
    expect(svg).toMatch(/^<svg xmlns[^]*input channels[^]*<\/svg>\s*$/);
    for (const { id } of (await stack.api.GET('/v1/device-classes')).data?.items ?? []) {
      expect(svg).toContain(id);
    }
    expect((await saved('PNG')).subarray(1, 4).toString()).toBe('PNG');
  });

  it('says what is wrong with a file, and reads it with what it leaves open', async () => {
    const { page } = tab;
    await tab.go(stack.url, '/predict', 'Predict');
    await drop('notes.txt', new TextEncoder().encode('{"hello": 1}'));
    await page.getByRole('alert').getByText('neither a Keras model').waitFor();
    await drop('open.onnx', onnxFile(resNet50(), ['N', 3, 'H', 'W']));
    await page.getByRole('alert').getByText('open (1x3x?x?)').waitFor();
    await page.getByText('If the file leaves sizes open').click();
    await page.getByLabel('All sizes of the input').fill('8x3x64x64');
    await page.getByRole('button', { name: 'Read the file again' }).click();
    await page.getByText('batch of 8 images, 54 layers').waitFor();
    await page.getByRole('button', { name: 'Type layers instead' }).click();
    expect(await page.getByLabel('Height of layer 1').inputValue()).not.toBe('');
  });

  it('shows energy, versions and what changed; retires and promotes', async () => {
    const { page } = tab;
    await stack.api.POST('/v1/device-classes/{id}/fits', { params: { path: { id: counting } }, body: {} });
    const query = { deviceClassId: counting };
    await until(
      async () => (await stack.api.GET('/v1/models', { params: { query } })).data?.items.length,
      (versions) => versions === 2,
    );
    await tab.go(stack.url, `/devices/${counting}`, 'Fake');
    await page.getByRole('heading', { name: 'Errors and interval coverage of energy' }).waitFor();
    await page.getByRole('img', { name: /^Predicted against measured energy/ }).waitFor();
    await page.getByRole('region', { name: 'What changed' }).waitFor();
    const row = page.getByRole('region', { name: 'Versions' }).getByRole('row', { name: /^v2/ });
    await page.getByRole('button', { name: 'Retire version 2' }).click();
    await page.getByRole('dialog').getByLabel('Reason').fill('for the test');
    expect(await tab.seriousFindings()).toEqual([]);
    await tab.screenshot('retire');
    await page.getByRole('button', { name: 'Retire it' }).click();
    await row.getByText('for the test').waitFor();
    expect(await tab.look('device-class-energy')).toEqual([]);
    await page.getByRole('button', { name: 'Promote version 2' }).click();
    await page.getByRole('button', { name: 'Promote it' }).click();
    await row.getByText('served', { exact: true }).waitFor();
    const { data } = await stack.api.GET('/v1/models', { params: { query } });
    expect(data?.items.map(({ status }) => status)).toEqual(['published', 'published']);
  });

  it('has a card of the data that match, and freezes them', async () => {
    const { page } = tab;
    await tab.go(stack.url, '/data', 'Data');
    await page.getByLabel('Device class').selectOption(counting);
    const card = page.getByRole('region', { name: 'Data card' });
    await card.locator('.stat', { hasText: 'With energy' }).getByText('60', { exact: true }).waitFor();
    await card.getByText('Fake').first().waitFor();
    await page.getByLabel('Name of the data set').fill('from-the-page');
    await page.getByRole('button', { name: 'Freeze the ok samples that match' }).click();
    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: 'ZIP with Parquet and card of from-the-page v1' }).click();
    expect((await saved).suggestedFilename()).toBe('from-the-page-v1.zip');
    expect(await tab.look('data-card')).toEqual([]);
  });

  it('leads admins, and nobody else, to the queues', async () => {
    const { page } = tab;
    await tab.go(stack.url, '/', 'Overview');
    await page.getByRole('link', { name: 'Queues' }).waitFor();
    const { data } = await stack.api.POST('/v1/tokens', { body: { name: 'reader', role: 'read-only' } });
    await page.evaluate((token) => {
      sessionStorage.setItem('alphaflops.token', token);
    }, data?.token ?? '');
    await page.reload();
    await page.getByRole('heading', { name: 'Newest models' }).waitFor();
    expect(await page.getByRole('link', { name: 'Queues' }).count()).toBe(0);
  });
});
