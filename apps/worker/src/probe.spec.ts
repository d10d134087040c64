import type { ProbedExecutor } from '@alphaflops/executor';
import { createExecutor } from '@alphaflops/executor/testing';
import { probe, probePreferred, probeReport, tableOf } from './probe.js';

const worker = { version: '1.2.3', commit: 'abc', dirty: false };
const reference = (executor: string) => ({ module: 'm', executor });
const broken = (executor: string): ProbedExecutor => ({
  module: 'm',
  executor,
  result: { ok: false, reason: 'no\ndriver' },
});

describe('probe', () => {
  it('describes the found devices and their worker, and reports why the rest does not work', async () => {
    const fake = await createExecutor('fake').probe();
    const found = await probe(['tfjs-cpu', 'fake'].map(reference), worker, (references) => {
      expect(references.map(({ executor }) => executor)).toEqual(['tfjs-cpu', 'fake']);
      return Promise.resolve([broken('tfjs-cpu'), { module: 'm', executor: 'fake', result: fake }]);
    });
    expect(found.devices.map(({ uuid, provenance }) => [uuid, provenance.worker])).toEqual([
      ['fake-device-0', worker],
      ['fake-device-1', worker],
    ]);
    expect(tableOf(found.probed).split('\n')).toEqual([
      'EXECUTOR  KIND  ENERGY BY  DEVICE       UUID',
      'tfjs-cpu  -     -          does not work: no driver',
      'fake      cpu   -          Fake device  fake-device-0',
      'fake      cpu   -          Fake device  fake-device-1',
    ]);
  });

  it('refuses a machine on which nothing works, with every reason', async () => {
    const attempt = probe(['fake'].map(reference), worker, () => Promise.resolve([broken('fake')]));
    await expect(attempt).rejects.toMatchObject({
      code: 'no-device',
      message: expect.stringContaining('does not work: no driver'),
    });
  });

  it('uses the first preferred executor that works, probes no further ones, and reports the earlier ones', async () => {
    const fake = await createExecutor('fake').probe();
    const requested: string[] = [];
    const ask = (references: readonly { executor: string }[]) =>
      Promise.resolve(
        references.map(({ executor }) => {
          requested.push(executor);
          return executor === 'cudnn' ? broken(executor) : { module: 'm', executor, result: fake };
        }),
      );
    const [preferred, further] = [['cudnn', 'fake', 'tfjs-cpu'], ['process']].map((names) =>
      names.map(reference),
    );
    const found = await probePreferred(preferred ?? [], further ?? [], worker, ask);
    expect(requested).toEqual(['cudnn', 'fake', 'process']);
    expect(tableOf(found.probed)).toMatch(/cudnn .*does not work: no driver\nfake .*\nfake .*\nprocess/);
    // A device names its executor. Here all devices have the fake executor.
    expect(found.executors).toEqual(['fake']);
    const none = probePreferred([reference('cudnn')], [], worker, ask);
    await expect(none).rejects.toMatchObject({ code: 'no-device' });
  });

  it('reports working executors with versions and others with a reason, for people and for programs', async () => {
    const fake = await createExecutor('fake').probe();
    const ask = () => Promise.resolve([broken('tfjs-cpu'), { module: 'm', executor: 'fake', result: fake }]);
    const report = await probeReport(['tfjs-cpu', 'fake'].map(reference), false, ask);
    expect(report.works).toBe(true);
    expect(report.text).toMatch(/does not work: no driver[^]*fake: adapter \S+/);
    const { text } = await probeReport(['tfjs-cpu', 'fake'].map(reference), true, ask);
    expect(JSON.parse(text)).toMatchObject([
      { executor: 'tfjs-cpu', ok: false, reason: 'no\ndriver' },
      { executor: 'fake', ok: true, devices: [{ uuid: 'fake-device-0' }, { uuid: 'fake-device-1' }] },
    ]);
    const none = await probeReport(['tfjs-cpu'].map(reference), false, () =>
      Promise.resolve([broken('tfjs-cpu')]),
    );
    expect(none.works).toBe(false);
  });
});
