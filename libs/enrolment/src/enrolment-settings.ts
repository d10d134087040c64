import type { JoinAddress } from './join-line.js';

/** What enrolment needs to know of the deployment. */
export abstract class EnrolmentSettings {
  /** Redis as workers reach it, without user and password. */
  abstract readonly queueUrl: string;
  abstract readonly heartbeatS: number;
  abstract readonly offlineAfterS: number;
  abstract readonly staleAfterS: number;
  abstract readonly join: JoinAddress;
}
