import type { Request } from 'express';

/** Who asks. A join token is not looked up before it is used. */
export type Principal =
  | { kind: 'admin'; tokenId: string }
  | { kind: 'worker'; tokenId: string; workerId: string }
  | { kind: 'join'; hash: string };

export interface ApiRequest extends Request {
  requestId: string;
  principal?: Principal;
}
