import { forecastOf, type ForecastQuestion } from './forecast.js';

const learning = [150, 180, 216, 260, 312].map((shapes) => ({
  ...{ shapes, standardError: 0.004, form: 'boosted', judgedBy: shapes },
  medianApe: 0.16 * (shapes / 150) ** -0.3,
}));
const question: ForecastQuestion = {
  ...{ learning, targetError: 0.08, noiseFloor: null },
  ...{ budgetShapes: 20_000, shapesPerSecond: 4 },
};

describe('the forecast of a campaign', () => {
  it('gives the number of further shapes and their time', () => {
    const forecast = forecastOf(question);
    // 0.16 · (n / 150)^-0.3 = 0.08 at 1512 shapes.
    expect(forecast?.shapesForTarget).toBeGreaterThan(1_000);
    expect(forecast?.shapesForTarget).toBeLessThan(2_300);
    expect(forecast?.moreShapes).toBe((forecast?.shapesForTarget ?? NaN) - 312);
    expect(forecast?.secondsForTarget).toBe((forecast?.moreShapes ?? NaN) / 4);
    expect(forecast?.text).toMatch(/^about [\d,]+ more shapes, \d+ minutes, for 8\.0 %$/);
  });

  it('draws the curve from the first point to the budget', () => {
    const curve = forecastOf(question)?.curve ?? [];
    expect(curve[0]?.shapes).toBe(150);
    expect(curve.at(-1)?.shapes).toBe(20_000);
    const errors = curve.map(({ medianApe }) => medianApe);
    expect(errors.toSorted((a, b) => b - a)).toEqual(errors);
  });

  it('gives the error at the budget when the budget is too small', () => {
    expect(forecastOf({ ...question, budgetShapes: 400 })?.text).toMatch(
      /: more than the budget, with which the error comes down to about 1[12]\.\d %$/,
    );
  });

  it('reports a target that cannot be reached', () => {
    const noiseFloor = { shapes: 40, medianLogRatio: 0.14, p90LogRatio: 0.3 };
    const forecast = forecastOf({ ...question, noiseFloor });
    expect(forecast).toMatchObject({ shapesForTarget: null, moreShapes: null, secondsForTarget: null });
    expect(forecast?.text).toMatch(/^8\.0 % is not reachable with the form boosted: it comes down to about/);
  });

  it('ignores a noise floor from few shapes, or one above the measured error', () => {
    const few = { shapes: 3, medianLogRatio: 0.48, p90LogRatio: 0.6 };
    expect(forecastOf({ ...question, noiseFloor: few })).toEqual(forecastOf(question));
    const high = forecastOf({ ...question, noiseFloor: { ...few, shapes: 40 } });
    expect(high?.reachable).toBeLessThan(0.16);
  });

  it('waits for three points of one form', () => {
    expect(forecastOf({ ...question, learning: learning.slice(0, 2) })).toBeNull();
    const other = learning.map((point, i) => ({ ...point, form: i < 3 ? 'alpha-axes' : 'boosted' }));
    expect(forecastOf({ ...question, learning: other })).toBeNull();
    expect(forecastOf({ ...question, learning: [] })).toBeNull();
  });
});
