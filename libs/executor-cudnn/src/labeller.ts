import type { ConvSpec } from '@alphaflops/conv';
import { GpuError } from '@alphaflops/nvidia';
import { Backend, type Descriptor, OLDEST_DEVICELESS_VERSION } from './backend.js';
import { candidatePlans } from './choose-plan.js';
import { convProblem } from './conv-problem.js';
import { Descriptors } from './descriptors.js';
import { describedDevice } from './device-properties.js';
import { findCudnn } from './find-libraries.js';
import type { KernelLabel, LabelOptions } from './label-messages.js';
import { loadedFromTwoInstallations } from './loaded-libraries.js';
import { pytorchProblem } from './pytorch-problem.js';

/** Requests the kernels that cuDNN would run on a device. The device can be absent. */
export class KernelLabeller {
  readonly cudnn: string;
  /** Such as 9.0. */
  readonly computeCapability: string;
  private readonly device: Descriptor;
  private readonly backend: Backend;

  /** @throws Error in words, when cuDNN is missing or too old, or does not accept the properties */
  constructor(private readonly options: LabelOptions) {
    const found = findCudnn(options.libraryPath);
    if (!found.ok) throw new Error(found.reason);
    this.backend = new Backend(found.cudnn);
    this.cudnn = this.backend.version;
    if (this.backend.versionNumber < OLDEST_DEVICELESS_VERSION) {
      throw new Error(
        `needs cuDNN 9.8 or newer to answer without a GPU; ${this.backend.path} is cuDNN ${this.cudnn}`,
      );
    }
    this.computeCapability = computeCapabilityOf(options.deviceProperties);
    try {
      this.device = describedDevice(new Descriptors(this.backend), options.deviceProperties);
    } catch (error) {
      if (!(error instanceof GpuError)) throw error;
      throw new Error(`cuDNN ${this.cudnn} does not take these device properties: ${error.message}`);
    }
    const mixed = loadedFromTwoInstallations();
    if (mixed !== null) throw new Error(mixed);
  }

  /** @throws GpuError when the installation is broken */
  label(spec: ConvSpec): KernelLabel {
    const { tf32, padding } = this.options;
    const problem = padding === 'pytorch' ? pytorchProblem(spec) : convProblem(spec);
    const descriptors = new Descriptors(this.backend);
    let refusal: GpuError | null = null;
    try {
      const plans = candidatePlans(
        ...[descriptors, problem, { tf32 }, { deviceProperties: this.device }],
        (why) => (refusal = why),
      );
      for (const { proposal, workspaceBytes } of plans) return { kernel: proposal.name, workspaceBytes };
      return { kernel: null, reason: messageOf(refusal) ?? 'cuDNN proposes no engine for it' };
    } catch (error) {
      if (error instanceof GpuError && error.isUnsupported) return { kernel: null, reason: error.message };
      throw error;
    } finally {
      descriptors.destroyAll();
    }
  }
}

/** The compute capability in device properties, such as 9.0. @throws Error when they are not such a JSON */
export function computeCapabilityOf(deviceProperties: string): string {
  let version: unknown;
  try {
    version = (JSON.parse(deviceProperties) as { deviceVer?: unknown } | null)?.deviceVer;
  } catch {
    throw new Error('the device properties are not JSON');
  }
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 100) {
    throw new Error(
      'the device properties lack deviceVer, such as 900: they are not those that cuDNN writes',
    );
  }
  return `${Math.floor(version / 100)}.${Math.floor((version % 100) / 10)}`;
}

function messageOf(error: GpuError | null): string | null {
  return error === null ? null : error.message;
}
