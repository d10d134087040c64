export { chooseNext, type ChooseOptions } from './adaptive/choose.js';
export * from './adaptive/rounds.js';
export * from './adaptive/simulate.js';
export * from './design.js';
export * from './limits.js';
export { PAPER_SERIES } from './paper-series.js';
export * from './plan.js';
export * from './plan-error.js';
export * from './repeats.js';
