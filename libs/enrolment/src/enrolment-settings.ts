import type { JoinAddress } from './join-line.js';

/** What enrolment needs to know of the deployment. */
export abstract class EnrolmentSettings {
  abstract readonly heartbeatS: number;
  abstract readonly offlineAfterS: number;
  abstract readonly staleAfterS: number;
  abstract readonly join: JoinAddress;
}
