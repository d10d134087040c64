/** One launch of a compute shader with all resources that it reads and writes. */
export interface Dispatch {
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly workgroups: readonly [x: number, y?: number, z?: number];
}

/**
 * Records the dispatches of `work` on the device, and also runs them. Any other command in a command encoder is an error,
 * because a replay would leave it out.
 */
export function recordDispatches<T>(device: GPUDevice, work: () => T): { result: T; dispatches: Dispatch[] } {
  const dispatches: Dispatch[] = [];
  const createCommandEncoder = device.createCommandEncoder.bind(device);
  device.createCommandEncoder = (descriptor) => {
    const encoder = createCommandEncoder(descriptor);
    const beginComputePass = encoder.beginComputePass.bind(encoder);
    encoder.beginComputePass = (pass) => recordPass(beginComputePass(pass), dispatches);
    encoder.copyBufferToBuffer = () => {
      throw new Error('TensorFlow.js copies buffers within this convolution: it cannot be replayed');
    };
    return encoder;
  };
  try {
    return { result: work(), dispatches };
  } finally {
    device.createCommandEncoder = createCommandEncoder;
  }
}

function recordPass(pass: GPUComputePassEncoder, dispatches: Dispatch[]): GPUComputePassEncoder {
  let pipeline: GPUComputePipeline | null = null;
  let bindGroup: GPUBindGroup | null = null;
  const setPipeline = pass.setPipeline.bind(pass);
  const setBindGroup = pass.setBindGroup.bind(pass) as (index: number, group: GPUBindGroup) => undefined;
  const dispatchWorkgroups = pass.dispatchWorkgroups.bind(pass);
  pass.setPipeline = (next) => {
    pipeline = next;
    setPipeline(next);
  };
  pass.setBindGroup = (index: number, group: GPUBindGroup) => {
    if (index !== 0) throw new Error(`TensorFlow.js uses bind group ${index}: it cannot be replayed`);
    bindGroup = group;
    setBindGroup(index, group);
  };
  pass.dispatchWorkgroups = (...workgroups) => {
    if (pipeline === null || bindGroup === null) throw new Error('TensorFlow.js dispatches without a shader');
    dispatches.push({ pipeline, bindGroup, workgroups });
    dispatchWorkgroups(...workgroups);
  };
  return pass;
}

/** Records the dispatches `times` times in one compute pass; dispatches that write the same buffers run one after another. */
export function replay(pass: GPUComputePassEncoder, dispatches: readonly Dispatch[], times: number): void {
  for (let time = 0; time < times; time++) {
    for (const { pipeline, bindGroup, workgroups } of dispatches) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(...workgroups);
    }
  }
}
