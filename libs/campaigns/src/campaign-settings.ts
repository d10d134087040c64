/** What running campaigns needs to know of the deployment. */
export abstract class CampaignSettings {
  /** ConvSpecs of one batch. */
  abstract readonly batchSpecs: number;
  /** This process records results and keeps campaigns going. */
  abstract readonly records: boolean;
}
