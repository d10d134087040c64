export * from './adaptive/rounds.js';
export {
  simulate,
  SIMULATED_DESIGNS,
  type SimulatedDesign,
  type SimulateOptions,
  splitForSimulation,
  type LearningPoint as SimulatedPoint,
} from './adaptive/simulate.js';
export * from './design.js';
export * from './limits.js';
export * from './plan-error.js';
export * from './plan.js';
export * from './repeats.js';
export * from './target/decide.js';
export * from './target/forecast.js';
export * from './target/interim-fit.js';
export * from './target/simulate-target.js';
export * from './target/target-rounds.js';
export { PAPER_SERIES } from './paper-series.js';
export { chooseNext, type ChooseOptions } from './adaptive/choose.js';
export { coveringFirst } from './target/cover-order.js';
