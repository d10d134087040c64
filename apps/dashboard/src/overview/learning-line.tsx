import { percent } from '../format.js';

/** One point of a campaign's learning curve. */
export interface LearningPoint {
  readonly shapes: number;
  /** Error on held-out shapes. */
  readonly medianApe: number;
}

const WIDTH = 96;
const HEIGHT = 24;

/** A small learning curve inside a line of text: error against measured shapes. */
export function LearningLine({ points }: { points: readonly LearningPoint[] }) {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || points.length < 2) return null;
  const most = Math.max(...points.map(({ medianApe }) => medianApe));
  const span = last.shapes - first.shapes || 1;
  const place = ({ shapes, medianApe }: LearningPoint) =>
    `${(2 + ((WIDTH - 4) * (shapes - first.shapes)) / span).toFixed(1)},${(2 + (HEIGHT - 4) * (1 - medianApe / most)).toFixed(1)}`;
  const text = `median error from ${percent(first.medianApe)} with ${first.shapes} shapes to ${percent(last.medianApe)} with ${last.shapes}`;
  return (
    <svg className="learning" width={WIDTH} height={HEIGHT} role="img" aria-label={text}>
      <title>{text}</title>
      <polyline points={points.map(place).join(' ')} />
    </svg>
  );
}
