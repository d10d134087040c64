/** Parts that the worker's archive does not contain, because they are large and few users need them. */
export const ADDITIONS = ['webgpu', 'cudnn', 'tfjs-node', 'tfjs-node-gpu'] as const;
export type Addition = (typeof ADDITIONS)[number];
