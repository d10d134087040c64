export * from './fits.module.js';
export { FitSettings, FitsService } from './fits.service.js';
export { RoundsService } from './rounds.service.js';
