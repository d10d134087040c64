import { readTls } from '@alphaflops/config';
import { bodyType, ProcessLog, requestId } from '@alphaflops/http';
import { HttpTiming, type ProcessParts } from '@alphaflops/operations';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import helmet from 'helmet';
import { serveApiPage } from './api-page.js';
import { AppModule } from './app.module.js';
import { serveDashboard } from './dashboard.js';

/** The application with all modules, before it starts and listens. */
export async function createApp(parts: ProcessParts): Promise<NestExpressApplication> {
  const { log, limits, tls, trustedProxies } = parts.config;
  const app = await NestFactory.create<NestExpressApplication>(AppModule.with(parts), {
    bodyParser: false,
    ...(tls !== null && { httpsOptions: readTls(tls) }),
    logger: new ProcessLog(log),
  });
  app.disable('x-powered-by');
  app.set('trust proxy', [...trustedProxies]);
  app.use(requestId);
  app.use(app.get(HttpTiming).time);
  app.use(
    helmet({
      // The API page needs its own inline styles and scripts; it has no other origin.
      contentSecurityPolicy: {
        directives: { scriptSrc: ["'self'", "'unsafe-inline'"], upgradeInsecureRequests: null },
      },
      strictTransportSecurity: tls !== null,
    }),
  );
  serveDashboard(app);
  app.use('/v1', bodyType);
  app.useBodyParser('json', { limit: limits.bodyBytes });
  serveApiPage(app);
  return app;
}
