import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { AllowAccess, AnswerStream, ApiProblem, type ApiRequest, ApiTags } from '@alphaflops/http';
import { Controller, Get, Header, Param, Req, StreamableFile } from '@nestjs/common';
import { z } from 'zod';
import { EnrolmentSettings } from './enrolment-settings.js';
import { addressFor } from './join-line.js';
import { joinScript } from './join-script.js';
import { BUNDLE_PLATFORMS, type BundlePlatform, type WorkerBundle, WorkerBundles } from './worker-bundles.js';

const PlatformSchema = z.enum(BUNDLE_PLATFORMS);

/** What a machine needs before it has joined. It is public and has no secrets. */
@ApiTags('join-tokens')
@Controller()
export class JoinScriptController {
  constructor(
    private readonly settings: EnrolmentSettings,
    private readonly bundles: WorkerBundles,
  ) {}

  @Get('join.sh')
  @AllowAccess('public')
  @Header('content-type', 'text/x-shellscript; charset=utf-8')
  @Header('cache-control', 'no-cache')
  @AnswerStream('The script that installs a worker and lets it join: sh join.sh TOKEN', 'text/x-shellscript')
  script(@Req() request: ApiRequest): string {
    const url = addressFor(request, this.settings.join);
    const pin = url.startsWith('https:') ? this.settings.join.keyPin : null;
    return joinScript({ url, pin });
  }

  @Get('bundles/:platform.tar.gz')
  @AllowAccess('public')
  @AnswerStream('The worker with everything that it needs, for linux-x64 or linux-arm64', 'application/gzip')
  async bundle(
    @Param('platform', { schema: PlatformSchema }) platform: BundlePlatform,
  ): Promise<StreamableFile> {
    const { file } = await this.find(platform);
    return new StreamableFile(createReadStream(file), { type: 'application/gzip' });
  }

  @Get('bundles/:platform.tar.gz.sha256')
  @AllowAccess('public')
  @Header('content-type', 'text/plain; charset=utf-8')
  @Header('cache-control', 'no-cache')
  @AnswerStream('SHA-256 of that archive, as sha256sum writes it', 'text/plain')
  async digest(@Param('platform', { schema: PlatformSchema }) platform: BundlePlatform): Promise<string> {
    const { file, sha256 } = await this.find(platform);
    return `${sha256}  ${basename(file)}\n`;
  }

  /** @throws ApiProblem 404, with what to do */
  private async find(platform: BundlePlatform): Promise<WorkerBundle> {
    const bundle = await this.bundles.find(platform);
    if (bundle !== null) return bundle;
    throw new ApiProblem(
      404,
      'no-bundle',
      `This coordinator has no worker for ${platform}. Make it with "npm run build:bundle" in its checkout.`,
    );
  }
}
