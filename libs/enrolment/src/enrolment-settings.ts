import type { JoinAddress } from './join-line.js';

/** Settings of the deployment for enrolment. */
export abstract class EnrolmentSettings {
  abstract readonly heartbeatS: number;
  abstract readonly offlineAfterS: number;
  abstract readonly staleAfterS: number;
  abstract readonly join: JoinAddress;
}
