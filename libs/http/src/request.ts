import type { AccessRole } from '@alphaflops/contracts';
import type { Request } from 'express';

/** The caller. The validity of a join token or a sign-in code is checked when it is used. */
export type Principal =
  | { kind: 'api'; role: AccessRole; tokenId: string; name: string }
  | { kind: 'worker'; tokenId: string; workerId: string }
  | { kind: 'join' | 'sign-in'; hash: string; tokenId: string; name: string };

export interface ApiRequest extends Request {
  requestId: string;
  principal?: Principal;
}
