import { specKey } from '@alphaflops/conv';
import { kernelMapShapes } from './kernel-map-shapes.js';

describe('shapes of a kernel map', () => {
  it('have the requested number, are all different, and have both designs and element types', () => {
    const shapes = kernelMapShapes(400);
    expect(shapes).toHaveLength(400);
    expect(new Set(shapes.map(specKey)).size).toBe(400);
    expect(shapes.filter(({ dtype }) => dtype === 'f16')).toHaveLength(120);
    expect(kernelMapShapes(400)).toEqual(shapes);
  });
});
