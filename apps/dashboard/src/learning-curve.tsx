import { useMemo } from 'react';
import { Chart } from './chart.js';
import type { Layer } from './chart-paint.js';
import type { CampaignProgress } from './events.js';
import { count, duration, percent, significant } from './format.js';
import { Panel, Stat } from './ui.js';

/** The held-out error after each round, its forecast and its cost. */
export function LearningCurvePanel({ progress }: { progress: CampaignProgress }) {
  const { learning, forecast, targetError, stop } = progress;
  const newest = learning.at(-1);
  if (newest === undefined) {
    return (
      <Panel title="Learning curve" unit="held-out median error against measured shapes">
        <p className="hint">The first fit starts after the first round.</p>
      </Panel>
    );
  }
  const { energyJ, deviceSeconds, medianApe, standardError, shapes } = newest;
  return (
    <Panel title="Learning curve" unit="held-out median error against measured shapes">
      <dl className="stats">
        <Stat label="Error now" value={`${percent(medianApe)} ± ${percent(standardError)}`} />
        <Stat label="Target" value={percent(targetError)} />
        <Stat label="Shapes" value={count(shapes)} />
        <Stat label="Device time" value={duration(deviceSeconds)} />
        {energyJ !== null && <Stat label="Energy" value={significant(energyJ / 1000, 3)} unit="kJ" />}
        {forecast?.secondsForTarget != null && (
          <Stat label="To the target" value={duration(forecast.secondsForTarget)} />
        )}
      </dl>
      <Curve learning={learning} forecast={forecast} targetError={targetError} />
      {forecast !== null && <p className="hint">Forecast: {forecast.text}.</p>}
      {stop !== null && <p className="hint">Stopped: {stop.reason}.</p>}
    </Panel>
  );
}

type CurveProps = Pick<CampaignProgress, 'learning' | 'forecast' | 'targetError'>;

function Curve({ learning, forecast, targetError }: CurveProps) {
  const layers = useMemo(
    () => layersOf({ learning, forecast, targetError }),
    [learning, forecast, targetError],
  );
  return (
    <Chart
      label="Learning curve of this campaign"
      x="measured shapes"
      y="held-out median error, %"
      layers={layers}
    />
  );
}

function layersOf({ learning, forecast, targetError }: CurveProps): Layer[] {
  const last = forecast?.curve.at(-1)?.shapes ?? learning.at(-1)?.shapes ?? 1;
  const ends = [learning[0]?.shapes ?? 1, last];
  return [
    {
      kind: 'points',
      name: 'after each round',
      color: '--series-1',
      xs: learning.map(({ shapes }) => shapes),
      ys: learning.map(({ medianApe }) => 100 * medianApe),
      describe: (at) => {
        const point = learning[at];
        return point === undefined
          ? ''
          : `${count(point.shapes)} shapes, ${percent(point.medianApe)} ± ${percent(point.standardError)}, form ${point.form}`;
      },
    },
    {
      kind: 'dashed',
      name: 'forecast',
      color: '--series-2',
      xs: forecast?.curve.map(({ shapes }) => shapes) ?? [],
      ys: forecast?.curve.map(({ medianApe }) => 100 * medianApe) ?? [],
    },
    {
      kind: 'line',
      name: 'target',
      color: '--muted',
      xs: ends,
      ys: ends.map(() => 100 * (targetError ?? 0)),
    },
  ];
}
