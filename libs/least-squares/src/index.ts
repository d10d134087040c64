export { LeastSquaresError } from './error.js';
export { type ResidualFunction } from './jacobian.js';
export * from './least-squares.js';
export { softL1, softL1Weight, type Loss } from './loss.js';
export * from './non-negative.js';
export * from './non-negative-normal.js';
export * from './packed.js';
export * from './ridge.js';
export { uncertainty, type Uncertainty } from './uncertainty.js';
