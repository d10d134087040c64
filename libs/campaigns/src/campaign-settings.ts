/** What running campaigns needs to know of the deployment. */
export abstract class CampaignSettings {
  /** ConvSpecs of one batch; null: as many as last a while. */
  abstract readonly batchSpecs: number | null;
  /** A worker that has been silent for so long is offline. */
  abstract readonly offlineAfterS: number;
  /** … and stale. */
  abstract readonly staleAfterS: number;
  /** This process records results and keeps campaigns going. */
  abstract readonly records: boolean;
}
