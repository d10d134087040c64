import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { Layer } from '../chart-paint.js';
import { Chart } from '../chart.js';
import { count } from '../format.js';
import { answered, useSession } from '../session.js';
import { Panel, Trouble } from '../ui.js';

const DAY_MS = 24 * 3600 * 1000;
const PARTS = 96;
const MINUTES_OF_PART = DAY_MS / 60_000 / PARTS;

/** Samples per minute over the last day. Each point is the mean of a quarter of an hour. */
export function Throughput() {
  const { api } = useSession();
  const { data, error } = useQuery({
    queryKey: ['sample-counts'],
    queryFn: async () => {
      const query = { parts: PARTS };
      return answered((await api.GET('/v1/samples/counts', { params: { query } })).data).counts;
    },
    refetchInterval: 60_000,
  });
  const layers = useMemo(
    (): Layer[] => [
      {
        kind: 'line',
        name: 'samples of any outcome',
        color: '--series-1',
        xs: (data ?? []).map((_, at) => ((at + 0.5 - PARTS) * MINUTES_OF_PART) / 60),
        ys: (data ?? []).map((samples) => samples / MINUTES_OF_PART),
      },
    ],
    [data],
  );
  const total = (data ?? []).reduce((sum, samples) => sum + samples, 0);
  return (
    <Panel title="Samples over the last day" unit={`${count(total)} in all`}>
      <Trouble error={error} />
      {total === 0 ? (
        <p className="hint">Nothing was measured in the last day.</p>
      ) : (
        <Chart
          label="Samples per minute over the last day"
          x="hours from now"
          y="samples per minute"
          log="none"
          layers={layers}
          height={200}
        />
      )}
    </Panel>
  );
}
