import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Sample } from '@alphaflops/contracts';
import { bytes, macs, specKey } from '@alphaflops/conv';
import { readAllSamples } from '@alphaflops/dataset';
import {
  buildCampaign,
  buildDevice,
  buildDeviceClass,
  buildProvenance,
  buildSample,
  buildWorker,
} from '@alphaflops/store/conformance';
import { openSqliteStores } from '@alphaflops/store-sqlite';
import { browser, Tab } from './support/browser.js';
import { Stack, until } from './support/stack.js';

if (browser.skip !== undefined)
  it.skip(`pages about two devices (skipped: ${browser.skip})`, () => undefined);
const whenThere = browser.skip === undefined ? describe : describe.skip;

const MEASURED = resolve(import.meta.dirname, '../data/sample-h100/h100-networklike-1000.csv');
const H100 = 'cudnn-nvidia-h100';
const SMALLER = 'cudnn-made-up-smaller-gpu';
const CAMPAIGN = 'c-two-devices';

/**
 * A simulated GPU: a third of the arithmetic rate of an H100 and half of its memory bandwidth, with the same launch
 * cost.
 */
function timeOnSmaller(spec: Sample['spec'], timeMs: number): number {
  const computeMs = (2 * macs(spec)) / 1.5e11;
  const memoryMs = bytes(spec).total / 1.6e9;
  return timeMs + 2 * Math.min(timeMs, computeMs) + Math.min(timeMs, memoryMs);
}

/** Fills the store of a deployment before its start: one class with the measured samples, one with simulated times. */
async function fill(directory: string): Promise<void> {
  const rows = await readAllSamples(await readFile(MEASURED, 'utf8'), MEASURED);
  const stores = await openSqliteStores(join(directory, 'data', 'alphaflops.sqlite'));
  try {
    const { id: provenanceId, record } = buildProvenance();
    for (const [id, sku] of [
      [H100, 'NVIDIA H100'],
      [SMALLER, 'Made-up smaller GPU'],
    ] as const) {
      const workerId = `worker-${id}`;
      const deviceId = `device-${id}`;
      const deviceClass = buildDeviceClass({ id, sku, kind: 'gpu', executor: 'cudnn', smCount: 132 });
      await stores.fleet.putWorker(
        buildWorker({ id: workerId, deviceIds: [deviceId] }),
        [buildDevice({ id: deviceId, deviceClassId: id, workerId, sku, provenanceId })],
        [deviceClass],
        new Map([[provenanceId, record]]),
      );
      const samples = rows.map(({ spec, timeMs }, specIndex): Sample => {
        const { timing, ...sample } = buildSample({
          ...{
            specIndex,
            spec,
            specKey: specKey(spec),
            campaignId: CAMPAIGN,
            targetId: id,
            workerId,
            deviceId,
          },
          ...{ deviceClassId: id, id: `${id}-${specIndex}`, recordedAt: new Date().toISOString() },
        });
        const ms = id === H100 ? timeMs : timeOnSmaller(spec, timeMs);
        return { ...sample, timing: timing && { ...timing, timeMs: ms } };
      });
      await stores.samples.record(samples, new Map([[provenanceId, record]]));
    }
    await stores.campaigns.create(
      buildCampaign({ id: CAMPAIGN, state: 'cancelled', name: 'two devices', deviceClassId: H100 }),
    );
  } finally {
    await stores.close();
  }
}

whenThere('pages about two devices with a thousand shapes each', () => {
  let stack: Stack;
  let tab: Tab;

  beforeAll(async () => {
    stack = await Stack.prepare({});
    await fill(stack.directory);
    await stack.startCoordinator();
    for (const id of [H100, SMALLER]) {
      const at = { params: { path: { id } }, body: {} };
      const { data } = await stack.api.POST('/v1/device-classes/{id}/fits', at);
      await until(
        async () => (await stack.api.GET('/v1/fits/{id}', { params: { path: { id: data?.id ?? '' } } })).data,
        (fit) => fit?.state === 'completed',
      );
    }
    tab = await Tab.open();
    await tab.page.goto(stack.url);
    await tab.page.getByLabel('token', { exact: false }).first().fill(stack.token);
    await tab.page.keyboard.press('Enter');
    await tab.page.getByRole('heading', { name: 'Overview' }).waitFor();
  }, 180_000);
  afterAll(async () => {
    await tab.close();
    await stack.stop();
  }, 60_000);
  afterEach(() => {
    expect(tab.errors.splice(0)).toEqual([]);
  });

  it('shows the error of the model of each class on the overview', async () => {
    await tab.go(stack.url, '/', 'Overview');
    await tab.page.getByRole('link', { name: 'NVIDIA H100' }).first().waitFor();
    await tab.page.getByRole('link', { name: 'Made-up smaller GPU' }).first().waitFor();
    expect(await tab.look('two-devices-overview')).toEqual([]);
  });

  it('compares them over a network: the H100 wins every layer', async () => {
    await tab.go(stack.url, '/compare', 'Compare');
    for (const id of [H100, SMALLER]) await tab.page.getByRole('checkbox', { name: id }).check();
    await tab.page.getByLabel('Layers or network').selectOption({ label: 'ResNet-50' });
    const wins = tab.page.getByRole('row', { name: new RegExp(`^${H100} `) });
    await until(
      async () => (await wins.allInnerTexts()).join('\n'),
      (text) => /\t5[34]\t100\.0/.test(text),
    );
    expect(await tab.look('two-devices-compare')).toEqual([]);
  });

  it.each([H100, SMALLER])('shows the figures of %s', async (id) => {
    await tab.go(stack.url, `/devices/${id}`, id === H100 ? 'NVIDIA H100' : 'Made-up smaller GPU');
    await tab.page.locator('figure[data-points="1000"]').first().waitFor();
    expect(await tab.look(`two-devices-${id}`)).toEqual([]);
  });
});
