import type { ConvSpec } from '@alphaflops/conv';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Predictions } from '../api.js';
import { count, percent, range, significant } from '../format.js';
import { answered, useSession } from '../session.js';
import { Panel, TableBox, Trouble } from '../ui.js';

type Training = NonNullable<Predictions['training']>;

const PASSES = [
  ['forward', 'Forward'],
  ['backward-data', 'Gradient of the input'],
  ['backward-weights', 'Gradient of the weights'],
] as const;

/** The cost of a training step and of an epoch on one device class. It is requested only while it is enabled. */
export function TrainingPanel(props: {
  deviceClassId: string;
  layers: readonly ConvSpec[];
  batch: number;
  gridIntensityGramsPerKwh: number | null;
  /** Text about the missing parts of the totals; null if they are complete. */
  missing: string | null;
}) {
  const { deviceClassId, layers, batch, gridIntensityGramsPerKwh: intensity, missing } = props;
  const { api } = useSession();
  const [isOn, setOn] = useState(false);
  const [samples, setSamples] = useState(1_281_167);
  const { data, error } = useQuery({
    queryKey: ['training', deviceClassId, layers, batch, intensity, samples],
    queryFn: async () => {
      const body = {
        model: { kind: 'device-class' as const, deviceClassId },
        ...{ layers: [...layers], inferencesPerPass: batch, training: { samples } },
        ...(intensity !== null && { gridIntensityGramsPerKwh: intensity }),
      };
      return answered((await api.POST('/v1/predictions', { body })).data).training ?? null;
    },
    enabled: isOn && Number.isInteger(samples) && samples > 0,
    staleTime: 60_000,
  });
  return (
    <Panel
      title={`Training on ${deviceClassId}`}
      unit={`forward and both backward passes of each layer, ${count(batch)} ${batch === 1 ? 'sample' : 'samples'} per step`}
      actions={
        <>
          <button
            type="button"
            aria-pressed={isOn}
            onClick={() => {
              setOn(!isOn);
            }}
          >
            Training
          </button>
          {isOn && (
            <label>
              Samples of an epoch{' '}
              <input
                type="number"
                min={1}
                value={samples || ''}
                onChange={({ target }) => {
                  setSamples(Number(target.value));
                }}
              />
            </label>
          )}
        </>
      }
    >
      <Trouble error={error} />
      {isOn && data && <TrainingTable training={data} missing={missing} />}
    </Panel>
  );
}

function TrainingTable({ training, missing }: { training: Training; missing: string | null }) {
  const { passes, step, epoch, unknownPasses, emissions } = training;
  const hours = 3_600_000;
  return (
    <>
      {missing !== null && <p className="caution">A lower bound: {missing}</p>}
      <TableBox label="Cost of training">
        <table>
          <thead>
            <tr>
              <th>Pass</th>
              <th className="number">α</th>
              <th className="number">Time, ms</th>
              <th className="number">Interval, ms</th>
              <th className="number">Energy, mJ</th>
              <th className="number">Share of a step</th>
            </tr>
          </thead>
          <tbody>
            {PASSES.map(([pass, title]) => (
              <tr key={pass}>
                <td>{title}</td>
                <td className="number">{significant(alphaOf(training, pass), 3)}</td>
                <td className="number">{significant(passes[pass].predictedMs)}</td>
                <td className="number">{range(passes[pass].lowerMs, passes[pass].upperMs, 4)}</td>
                <td className="number">{energy(passes[pass].energyMillijoules)}</td>
                <td className="number">{percent(passes[pass].predictedMs / step.predictedMs)}</td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <td>Step</td>
              <td />
              <td className="number">{significant(step.predictedMs)}</td>
              <td className="number">{range(step.lowerMs, step.upperMs, 4)}</td>
              <td className="number">{energy(step.energyMillijoules)}</td>
              <td className="number">100 %</td>
            </tr>
          </tfoot>
        </table>
      </TableBox>
      {epoch !== null && (
        <p>
          An epoch of {count(epoch.steps)} {epoch.steps === 1 ? 'step' : 'steps'}:{' '}
          {significant(epoch.predictedMs / hours)} h
          {epoch.lowerMs !== null &&
            epoch.upperMs !== null &&
            ` (${range(epoch.lowerMs / hours, epoch.upperMs / hours)} h)`}
          {epoch.energyMillijoules !== null && `, ${significant(epoch.energyMillijoules / 3.6e6)} Wh`}
          {emissions?.epoch != null && `, ${significant(emissions.epoch.grams)} g CO2e`}.
        </p>
      )}
      {unknownPasses.length > 0 && (
        <p className="caution">
          The model has no sample of {unknownPasses.join(' and ')}. For these passes it predicts the cost of
          the forward pass, without an interval.
        </p>
      )}
      <p className="hint">
        The cost includes only convolutions and dense layers, without the optimiser, the loss and all other
        layers.
      </p>
    </>
  );
}

/** α of all layers together in a pass. */
function alphaOf({ layers }: Training, pass: (typeof PASSES)[number][0]): number {
  const sum = (of: (layer: Training['layers'][number]) => number) =>
    layers.reduce((total, one) => total + of(one), 0);
  return sum((one) => one[pass].alphaFlops) / sum((one) => one[pass].flops);
}

function energy(energyMillijoules: number | null): string {
  return energyMillijoules === null ? '–' : significant(energyMillijoules);
}
