export { CampaignSettings } from './campaign-settings.js';
export * from './campaigns.module.js';
export { CampaignFits } from './lifecycle.js';
