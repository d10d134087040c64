import { ExpressAdapter } from '@bull-board/express';
import { adminsOnly } from '@alphaflops/http';
import { QueueBoard, type RedisAddress } from '@alphaflops/queue';
import type { AccessStore, CampaignStore } from '@alphaflops/store';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NextFunction, Request, RequestHandler, Response } from 'express';

const PATH = '/queues';
const LIVE = ['planned', 'running', 'paused', 'fitting'] as const;

/** Bull Board for admins, to look at. Returns what ends it. */
export function serveQueueBoard(
  app: NestExpressApplication,
  tokens: AccessStore,
  campaigns: CampaignStore,
  address: RedisAddress,
): () => Promise<void> {
  const adapter = new ExpressAdapter().setBasePath(PATH);
  const board = new QueueBoard(adapter, address);
  const refresh = async (): Promise<void> => {
    const lists = await Promise.all(LIVE.map((state) => campaigns.list({ state }, { limit: 200 })));
    board.show([...new Set(lists.flatMap(({ items }) => items.flatMap(({ targetIds }) => targetIds)))]);
  };
  // What is live may have changed since the page was looked at last.
  const upToDate = (_request: Request, _response: Response, next: NextFunction): void => {
    refresh().then(() => {
      next();
    }, next);
  };
  app.use(PATH, adminsOnly(tokens), upToDate, adapter.getRouter() as RequestHandler);
  return () => board.close();
}
