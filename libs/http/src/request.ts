import type { AccessRole } from '@alphaflops/contracts';
import type { Request } from 'express';

/** Who asks. Whether a join token or a sign-in code is still good is found out when it is used. */
export type Principal =
  | { kind: 'api'; role: AccessRole; tokenId: string; name: string }
  | { kind: 'worker'; tokenId: string; workerId: string }
  | { kind: 'join' | 'sign-in'; hash: string; tokenId: string; name: string };

export interface ApiRequest extends Request {
  requestId: string;
  principal?: Principal;
}
