import { adminsOnly } from '@alphaflops/http';
import type { QueueConnection } from '@alphaflops/queue';
import type { AccessStore, CampaignStore } from '@alphaflops/store';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NextFunction, Request, RequestHandler, Response } from 'express';

const PATH = '/queues';
const LIVE = ['planned', 'running', 'paused', 'fitting'] as const;

interface Board {
  handle: RequestHandler;
  close: () => Promise<void>;
}

/** Read-only Bull Board for admins, loaded at its first request. Returns the function that ends it. */
export function serveQueueBoard(
  app: NestExpressApplication,
  tokens: AccessStore,
  campaigns: CampaignStore,
  queue: QueueConnection,
): () => Promise<void> {
  let board: Promise<Board> | null = null;
  const handle = (request: Request, response: Response, next: NextFunction): void => {
    board ??= open(campaigns, queue);
    board.then((opened) => {
      opened.handle(request, response, next);
    }, next);
  };
  app.use(PATH, adminsOnly(tokens), handle);
  return async () => {
    await (await board)?.close();
  };
}

async function open(campaigns: CampaignStore, queue: QueueConnection): Promise<Board> {
  const [{ ExpressAdapter }, { QueueBoard }] = await Promise.all([
    import('@bull-board/express'),
    import('@alphaflops/queue/queue-board'),
  ]);
  const adapter = new ExpressAdapter().setBasePath(PATH);
  const board = new QueueBoard(adapter, queue);
  const router = adapter.getRouter() as RequestHandler;
  const refresh = async (): Promise<void> => {
    const lists = await Promise.all(LIVE.map((state) => campaigns.list({ state }, { limit: 200 })));
    board.show([...new Set(lists.flatMap(({ items }) => items.flatMap(({ targetIds }) => targetIds)))]);
  };
  return {
    // The active campaigns may have changed since the last request of the page.
    handle: (request, response, next) => {
      refresh().then(() => {
        router(request, response, next);
      }, next);
    },
    close: () => board.close(),
  };
}
