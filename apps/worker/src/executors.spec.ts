import { createExecutor as createCudnn } from '@alphaflops/executor-cudnn';
import { createExecutor as createProcess } from '@alphaflops/executor-process';
import { createExecutor as createTfjs } from '@alphaflops/executor-tfjs';
import { referenceOf } from './executors.js';

const machine = {
  libraryPath: ['/opt/lib'],
  processCommand: 'python3 "my program.py"',
  cudnnFind: true,
  tfjsNodeFolder: '/opt/tfjs-node',
  softwareAdapter: true,
};

describe('settings of the machine', () => {
  it.each(['cudnn', 'cudnn-fp32'])('reach %s, which takes them', (name) => {
    const { settings } = referenceOf(name, machine);
    expect(settings).toEqual({ libraryPath: ['/opt/lib'], find: true });
    expect(createCudnn(name, settings).name).toBe(name);
  });

  it('reach process, which takes them', () => {
    const { settings } = referenceOf('process', machine);
    expect(settings).toEqual({ command: 'python3 "my program.py"' });
    expect(createProcess('process', settings).name).toBe('process');
  });

  it('select executor process when no library is found', () => {
    const { settings } = referenceOf('process', { ...machine, processCommand: null });
    expect(() => createProcess('process', settings)).toThrow(/--process-command/);
  });

  it('reach tfjs-webgpu, which takes them', () => {
    const { settings } = referenceOf('tfjs-webgpu', machine);
    expect(settings).toEqual({ softwareAdapter: true });
    expect(createTfjs('tfjs-webgpu', settings).name).toBe('tfjs-webgpu');
  });

  it('reach tfjs-node, which takes them', () => {
    const { settings } = referenceOf('tfjs-node', machine);
    expect(settings).toEqual({ folder: '/opt/tfjs-node' });
    expect(createTfjs('tfjs-node', settings).name).toBe('tfjs-node');
    const { settings: none } = referenceOf('tfjs-node', { ...machine, tfjsNodeFolder: null });
    expect(createTfjs('tfjs-node', none).name).toBe('tfjs-node');
  });

  it('reach tfjs-node-gpu, which takes them', () => {
    const { settings } = referenceOf('tfjs-node-gpu', machine);
    expect(settings).toEqual({ folder: '/opt/tfjs-node', libraryPath: ['/opt/lib'] });
    expect(createTfjs('tfjs-node-gpu', settings).name).toBe('tfjs-node-gpu');
  });

  it('do not enable test doubles, which need an environment with their adapter', () => {
    expect(() => referenceOf('fake', machine)).toThrow('There is no executor fake.');
    process.env['ALPHAFLOPS_TEST_ADAPTER'] = 'file:///doubles.js';
    try {
      expect(referenceOf('fake', machine)).toMatchObject({ module: 'file:///doubles.js', executor: 'fake' });
      expect(() => referenceOf('cuda', machine)).toThrow('There is no executor cuda.');
    } finally {
      delete process.env['ALPHAFLOPS_TEST_ADAPTER'];
    }
  });

  it('do not affect other executors', () => {
    expect(referenceOf('tfjs-wasm', machine).settings).toBeUndefined();
    expect(() => referenceOf('cuda', machine)).toThrow('There is no executor cuda.');
  });
});
