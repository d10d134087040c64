import { FIRST_LAYER } from '../layer-link.js';
import { axisValues, shapesAlong } from './axis-values.js';

describe('axisValues', () => {
  it('covers the usual sizes and the shape itself', () => {
    const found = new Map(
      axisValues({ ...FIRST_LAYER, height: 500, width: 500 }).map((each) => [each.axis, each.values]),
    );
    expect([found.get('size')?.[0], found.get('size')?.at(-1)]).toEqual([4, 500]);
    expect(found.get('cin')).toContain(FIRST_LAYER.cin);
    expect(found.get('kernel')).toEqual([1, 3, 5, 7, 9, 11]);
  });

  it('varies no channels of a grouped shape, and every shape along an axis differs in it only', () => {
    const grouped = { ...FIRST_LAYER, cin: 64, cout: 64, groups: 64 };
    expect(axisValues(grouped).map(({ axis }) => axis)).toEqual(['size', 'kernel']);
    for (const shape of shapesAlong(grouped)) expect(shape).toMatchObject({ cin: 64, cout: 64, groups: 64 });
  });
});
