import { readTls } from '@alphaflops/config';
import { requestId } from '@alphaflops/http';
import { HttpTiming } from '@alphaflops/operations';
import { ConsoleLogger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { SwaggerModule } from '@nestjs/swagger';
import helmet from 'helmet';
import { AppModule, type Parts } from './app.module.js';
import { serveDashboard } from './dashboard.js';
import { describeApi } from './openapi.js';

const LEVELS = ['fatal', 'error', 'warn', 'log', 'debug'] as const;

/** What the framework tells of its own wiring at every start. */
const WIRING = ['NestFactory', 'InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestApplication'];

/** Keeps the log to what an operator can use. */
class QuietLogger extends ConsoleLogger {
  override log(message: unknown, ...rest: unknown[]): void {
    if (!WIRING.includes(String(rest.at(-1)))) super.log(message, ...rest);
  }
}

/** The application, wired but neither started nor listening. */
export async function createApp(parts: Parts): Promise<NestExpressApplication> {
  const { log, limits, tls, trustedProxies } = parts.config;
  const app = await NestFactory.create<NestExpressApplication>(AppModule.with(parts), {
    bodyParser: false,
    ...(tls !== null && { httpsOptions: readTls(tls) }),
    logger: new QuietLogger({
      json: log.json,
      colors: !log.json && process.stdout.isTTY,
      logLevels: LEVELS.slice(0, LEVELS.indexOf(log.level) + 1),
    }),
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
  app.useBodyParser('json', { limit: limits.bodyBytes });
  SwaggerModule.setup('docs', app, () => describeApi(app), { jsonDocumentUrl: 'openapi.json' });
  return app;
}
