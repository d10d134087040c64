import { useMemo } from 'react';
import { Chart } from './chart.js';
import { scaled, significant } from './format.js';
import type { Point } from './samples.js';
import { shapeText } from './shapes.js';

/**
 * Measured times against work, separate for each kernel. With a constant rate of multiply-adds, all points would be on
 * one line.
 */
export function SampleChart({
  label,
  points,
  height,
}: {
  label: string;
  points: readonly Point[];
  height?: number;
}) {
  const layers = useMemo(
    () =>
      (['other', '1x1'] as const)
        .map((group) => ({ group, members: points.filter((point) => point.group === group) }))
        .filter(({ members }) => members.length > 0)
        .map(({ group, members }) => ({
          kind: 'points' as const,
          name: group === '1x1' ? '1×1 kernels' : 'other kernels',
          color: group === '1x1' ? '--series-2' : '--series-1',
          xs: members.map(({ macs }) => macs / 1e6),
          ys: members.map(({ timeMs }) => timeMs),
          describe: (at: number) => {
            const point = members[at];
            return point === undefined
              ? ''
              : `${shapeText(point.spec)}, ${scaled(point.macs)}MAC, ${significant(point.timeMs)} ms`;
          },
        })),
    [points],
  );
  return (
    <Chart
      label={label}
      x="multiply-adds of one convolution, millions"
      y="time, ms"
      layers={layers}
      {...(height !== undefined && { height })}
    />
  );
}
