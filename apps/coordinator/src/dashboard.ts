import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NestExpressApplication } from '@nestjs/platform-express';
import compression from 'compression';
import type { Response } from 'express';

const YEAR_S = 365 * 24 * 3600;

/**
 * Serves the dashboard's files at `/`. They are the same for everybody and contain no secret. Without a token, the
 * dashboard shows a form for one. Names under assets/ change with the content, so browsers may cache them.
 */
export function serveDashboard(app: NestExpressApplication): void {
  const room = dirname(fileURLToPath(import.meta.resolve('@alphaflops/dashboard/package.json')));
  app.use('/assets', compression());
  app.useStaticAssets(join(room, 'dist/site'), {
    setHeaders: (response: Response, path: string) => {
      const isKept = path.includes('/assets/');
      response.setHeader('Cache-Control', isKept ? `public, max-age=${YEAR_S}, immutable` : 'no-cache');
    },
  });
}
