/** Settings of the deployment that campaigns need. */
export abstract class CampaignSettings {
  /** ConvSpecs of one batch; null: chosen by duration. */
  abstract readonly batchSpecs: number | null;
  /** Time without a heartbeat after which a worker is offline. */
  abstract readonly offlineAfterS: number;
  /** Time without a heartbeat after which a worker is stale. */
  abstract readonly staleAfterS: number;
  /** Whether this process records results and keeps campaigns running. */
  abstract readonly records: boolean;
}
