import { specKey } from '@alphaflops/conv';
import { useEffect, useState } from 'react';
import { type DeviceClass, nameOfClass } from './api.js';
import { count, scaled, significant } from './format.js';
import { nextTask, type Point } from './samples.js';
import { Panel, Stat, TableBox } from './ui.js';

const AXES = [
  ['batch', 'Batch size'],
  ['height', 'Height of the input'],
  ['width', 'Width of the input'],
  ['cin', 'Input channels'],
  ['cout', 'Output channels'],
  ['kernel_h', 'Kernel height'],
  ['kernel_w', 'Kernel width'],
  ['stride', 'Stride'],
  ['groups', 'Groups'],
] as const;
const LEVELS = [
  ['dtype', 'Element type'],
  ['padding', 'Padding'],
  ['layout', 'Layout'],
] as const;

const PIECE = 5_000;

/** Summary of the matching samples: number, content and ranges. */
export function DataCard(props: { points: readonly Point[]; deviceClass: DeviceClass | undefined }) {
  const { points, deviceClass } = props;
  const [summary, setSummary] = useState<Summary | null>(null);
  useEffect(() => {
    const away = new AbortController();
    summaryOf(points, away.signal).then(setSummary, () => undefined);
    return () => {
      away.abort();
    };
  }, [points]);
  if (summary === null) return null;
  const { shapes, axes, levels, timeMs, withEnergy, macs } = summary;
  return (
    <Panel title="Data card" unit="of the ok samples that match">
      <dl className="stats">
        <Stat label="Samples" value={count(points.length)} />
        <Stat label="Shapes" value={count(shapes)} />
        <Stat label="With energy" value={count(withEnergy)} />
        <Stat
          label="Times"
          value={`${significant(timeMs.min, 3)} – ${significant(timeMs.max, 3)}`}
          unit="ms"
        />
        <Stat label="Work" value={`${scaled(macs.min, 2)} – ${scaled(macs.max, 2)}`} unit="MAC" />
      </dl>
      <div className="columns">
        <TableBox label="Ranges of the axes">
          <table>
            <thead>
              <tr>
                <th>Axis</th>
                <th className="number">Least</th>
                <th className="number">Median</th>
                <th className="number">Most</th>
                <th className="number">Values</th>
              </tr>
            </thead>
            <tbody>
              {axes.map(({ name, min, median, max, values }) => (
                <tr key={name}>
                  <td>{name}</td>
                  <td className="number">{count(min)}</td>
                  <td className="number">{count(median)}</td>
                  <td className="number">{count(max)}</td>
                  <td className="number">{count(values)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </TableBox>
        <ul className="plain">
          {levels.map(({ name, shares }) => (
            <li key={name}>
              <strong>{name}</strong>: {shares}
            </li>
          ))}
          {deviceClass !== undefined && (
            <li>
              <strong>Device</strong>: {nameOfClass(deviceClass)},{' '}
              {Object.entries(deviceClass.libraries)
                .map(([name, version]) => `${name} ${version}`)
                .join(', ') || 'no libraries named'}
              , math mode {deviceClass.mathMode}
            </li>
          )}
          <li>
            <strong>Time</strong>: the median of several timed repetitions of one convolution alone, on a warm
            device. The export also has quartiles, repetitions and conditions.
          </li>
          <li>
            <strong>Left out here</strong>: failed and throttled samples. The list below and the export as
            JSON lines have them with their reasons.
          </li>
        </ul>
      </div>
    </Panel>
  );
}

interface Summary {
  readonly shapes: number;
  readonly withEnergy: number;
  readonly timeMs: Extent;
  readonly macs: Extent;
  readonly axes: readonly { name: string; min: number; median: number; max: number; values: number }[];
  readonly levels: readonly { name: string; shares: string }[];
}

interface Extent {
  min: number;
  max: number;
}

/** Counts in parts, because 100,000 samples would block the page for too long. */
async function summaryOf(points: readonly Point[], signal: AbortSignal): Promise<Summary> {
  const shapes = new Set<string>();
  const counts = [...AXES, ...LEVELS].map(([axis]) => ({ axis, of: new Map<number | string, number>() }));
  const timeMs: Extent = { min: Infinity, max: -Infinity };
  const work: Extent = { min: Infinity, max: -Infinity };
  let withEnergy = 0;
  for (const [at, point] of points.entries()) {
    if (at % PIECE === 0) {
      await nextTask();
      signal.throwIfAborted();
    }
    shapes.add(specKey(point.spec));
    if (point.energyMillijoules !== null) withEnergy += 1;
    extend(timeMs, point.timeMs);
    extend(work, point.macs);
    for (const { axis, of } of counts) of.set(point.spec[axis], (of.get(point.spec[axis]) ?? 0) + 1);
  }
  return {
    ...{ shapes: shapes.size, withEnergy, timeMs, macs: work },
    axes: AXES.map(([, name], at) => ({ name, ...spread(counts[at]?.of ?? new Map()) })),
    levels: LEVELS.map(([, name], at) => {
      const shares = [...(counts[AXES.length + at]?.of ?? [])]
        .sort(([, a], [, b]) => b - a)
        .map(([value, n]) => `${value} ${((100 * n) / points.length).toFixed(0)} %`);
      return { name, shares: shares.join(', ') };
    }),
  };
}

function extend(extent: Extent, value: number): void {
  extent.min = Math.min(extent.min, value);
  extent.max = Math.max(extent.max, value);
}

function spread(counts: ReadonlyMap<number | string, number>) {
  const sorted = [...counts].map(([value, n]) => [Number(value), n] as const).sort(([a], [b]) => a - b);
  const half = sorted.reduce((sum, [, n]) => sum + n, 0) / 2;
  let before = 0;
  const median = sorted.find(([, n]) => (before += n) >= half)?.[0] ?? NaN;
  return { min: sorted[0]?.[0] ?? NaN, median, max: sorted.at(-1)?.[0] ?? NaN, values: sorted.length };
}
