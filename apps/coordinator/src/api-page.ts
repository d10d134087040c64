import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express';

const PAGE = 'docs';
const DESCRIPTION = 'openapi.json';
const PATHS = new RegExp(`^/(${PAGE}|${DESCRIPTION.replace('.', '\\.')})\\b`);

/** The API page and its description. Both are made at the first request of one of them. */
export function serveApiPage(app: NestExpressApplication): void {
  let page: Promise<RequestHandler> | null = null;
  app.use((request: Request, response: Response, next: NextFunction): void => {
    if (!PATHS.test(request.path)) {
      next();
      return;
    }
    page ??= open(app);
    page.then((opened) => {
      opened(request, response, next);
    }, next);
  });
}

async function open(app: NestExpressApplication): Promise<RequestHandler> {
  const [{ SwaggerModule }, { describeApi }] = await Promise.all([
    import('@nestjs/swagger'),
    import('./openapi.js'),
  ]);
  const description = await describeApi(app);
  // Routes that are added while the application listens come after its answer to unknown routes, so the page has its own.
  const pages = express().disable('x-powered-by');
  const adapter = new ExpressAdapter(pages);
  const host = Object.create(app, {
    getHttpAdapter: { value: () => adapter },
    useStaticAssets: { value: adapter.useStaticAssets.bind(adapter) },
  }) as NestExpressApplication;
  SwaggerModule.setup(PAGE, host, description, { jsonDocumentUrl: DESCRIPTION });
  return pages;
}
