import { VERSION, errorText } from '@alphaflops/contracts';
import { CONV_SPEC_DEFAULTS, type ConvSpec } from '@alphaflops/conv';
import { Executor, ExecutorError, type ExecutorSession, type ProbeResult } from '@alphaflops/executor';
import * as os from 'node:os';
import { activate } from './backend.js';
import type { BackendName } from './backend-type.js';
import { describeProcessor, readProcessorConditions } from './host-processor.js';
import type { NodeSettings } from './node/node-backend.js';
import { TfjsSession } from './tfjs-session.js';

const pointwise = { ...CONV_SPEC_DEFAULTS, kernel_h: 1, kernel_w: 1 };
/**
 * Reference convolutions that take one or two milliseconds and do not fit into the caches of one core. tfjs-node computes on
 * threads of its own, which have no watch for disturbance.
 */
const REFERENCES: Partial<Record<BackendName, ConvSpec>> = {
  wasm: { ...pointwise, height: 80, width: 80, cin: 32, cout: 64 },
  cpu: { ...pointwise, height: 112, width: 112, cin: 4, cout: 4 },
};

/** The processor of this machine through a TensorFlow.js backend, on one thread. */
export class TfjsExecutor extends Executor {
  readonly name: `tfjs-${BackendName}`;
  readonly version = VERSION;

  constructor(
    private readonly backend: BackendName,
    private readonly settings: NodeSettings = {},
  ) {
    super();
    this.name = `tfjs-${backend}`;
  }

  async probe(): Promise<ProbeResult> {
    try {
      const { libraries } = await activate(this.backend, this.settings);
      const processor = await describeProcessor();
      const device = {
        uuid: processor.uuid,
        sku: processor.model,
        kind: 'cpu' as const,
        executor: this.name,
        memoryBytes: processor.memoryBytes,
        smCount: null,
        provenance: {
          schema: 'alphaflops.provenance/1' as const,
          device: {
            uuid: processor.uuid,
            sku: processor.model,
            architecture: os.arch(),
            logicalProcessors: os.cpus().length,
            memoryBytes: processor.memoryBytes,
            threadsUsed: 1,
          },
          executor: { name: this.name, version: this.version },
          libraries: { ...libraries },
          mathMode: 'f32',
          host: processor.host,
        },
      };
      return { ok: true, devices: [device] };
    } catch (error) {
      return { ok: false, reason: errorText(error) };
    }
  }

  async open(deviceUuid: string): Promise<ExecutorSession> {
    const { uuid } = await describeProcessor();
    if (uuid !== deviceUuid) {
      throw new ExecutorError(
        'unknown-device',
        `there is no device "${deviceUuid}" here; the processor of this machine is "${uuid}"`,
      );
    }
    const device = { readConditions: readProcessorConditions, close: () => undefined };
    return new TfjsSession(await activate(this.backend, this.settings), device, REFERENCES[this.backend]);
  }
}
