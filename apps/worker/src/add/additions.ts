/** What a worker in one archive comes without, because it is large and few need it. */
export const ADDITIONS = ['webgpu', 'cudnn', 'tfjs-node', 'tfjs-node-gpu'] as const;
export type Addition = (typeof ADDITIONS)[number];
