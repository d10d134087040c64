import { kernelMapId, KernelMapImportSchema, KernelMapSchema } from '@alphaflops/contracts';
import { exampleOf } from './example.js';
import { worker } from './fleet.js';

const key = {
  ...{ cudnnVersion: '9.19.0', computeCapability: '9.0' },
  ...({ heuristicMode: 'instant', mathMode: 'tf32' } as const),
};

exampleOf(KernelMapSchema, {
  id: kernelMapId(key),
  ...key,
  shapes: 49_802,
  kernels: 412,
  digest: '3f'.repeat(32),
  workerId: worker.id,
  createdAt: '2026-11-24T09:12:40.000Z',
});

exampleOf(KernelMapImportSchema, {
  ...key,
  csv:
    'batch,height,width,cin,cout,kernel_h,kernel_w,stride,groups,dtype,padding,layout,kernel\n' +
    '1,56,56,64,64,3,3,1,1,f32,same,NCHW,eng46_k2=4_k5=2_k14=3\n',
});
