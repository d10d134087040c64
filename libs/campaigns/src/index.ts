export { CampaignSettings } from './campaign-settings.js';
export * from './campaigns.module.js';
export { type CampaignFit, CampaignFits } from './lifecycle.js';
