import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Campaign, CampaignSchema, type Model, ModelSchema, VERSION } from '@alphaflops/contracts';
import { CONV_SPEC_DEFAULTS } from '@alphaflops/conv';
import { fitInputDigest, readAllSamples } from '@alphaflops/dataset';
import { compileModel, fitModel } from '@alphaflops/models';
import type { Command } from 'commander';
import { disturbanceText, visitsText, whatTheAlphaMeans } from '../demo-words.js';
import { CliError } from '../error.js';
import { heldOutTable, parametersTable } from '../model-tables.js';
import { wholeNumber } from '../options.js';
import { answered } from '../pages.js';
import { interruption } from '../stack/interruption.js';
import { LocalStack } from '../stack/local-stack.js';
import { browserAddress, signInLink } from '../sign-in-link.js';
import { indented, ms, seconds } from '../tables.js';
import { watchCampaign } from '../watch.js';
import { configOf, openDashboard } from './up.js';

/** Of the campaign. */
const NAME = 'demo';
/** Shapes that one CPU thread measures in about 0.3 s each, including repetitions. */
const CONSTRAINTS = { maxMacs: 3e8, allowGroups: false };
/** In the folder of the programs in the published package, and at the root of a checkout. */
const SAMPLE = ['../../', '../../../../']
  .map((up) => new URL(`${up}data/sample-h100/h100-networklike-1000.csv`, import.meta.url))
  .find((place) => existsSync(place));
/** Multiprocessors of the GPU that the bundled sample was measured on. */
const H100_SMS = 132;
const EXAMPLE = { height: 56, width: 56, cin: 64, cout: 128, kernel_h: 3, kernel_w: 3 };

interface DemoOptions {
  dataDir: string;
  port: number;
  specs: number;
  open?: true;
}

/** The whole path on this machine, with the commands and routes of a user. */
export function demoCommand(command: Command): void {
  command
    .option(
      '--data-dir <dir>',
      'data directory; it stays, so that a second run starts in seconds',
      '.alphaflops/demo',
    )
    .option('--port <number>', 'port of the coordinator; 0 for any free one', wholeNumber(0, 65_535), 0)
    .option('--specs <number>', 'shapes to measure', wholeNumber(20, 10_000), 150)
    .option('--open', 'open the dashboard in the browser of this machine, signed in')
    .addHelpText('after', '\nExample:\n  alphaflops demo --specs 60')
    .action(demo);
}

async function demo(options: DemoOptions): Promise<void> {
  const config = configOf(options);
  const interrupted = interruption();
  const say = (text: string): void => {
    console.log(text);
  };
  const { signal } = interrupted;
  const stack = new LocalStack({ config, withWorker: true, newAdminToken: false, say, signal });
  interrupted.onSecondSignal = () => {
    stack.stopAtOnce();
  };
  const heading = (text: string): void => {
    say(`\n${text}\n`);
  };
  let forget = (): Promise<void> => Promise.resolve();
  try {
    heading('1. Redis, coordinator, and this machine as a worker (enrolled with a join token)');
    await stack.start();
    const deviceClassId = await onlineDeviceClass(stack, signal);
    say(`  coordinator   ${stack.url}\n  device class  ${deviceClassId}`);
    if (stack.token !== null) {
      say(`  dashboard     ${await signInLink(stack.api, browserAddress(config, stack.url))}`);
      say('                (this link signs in once, within 15 minutes)');
    }
    if (options.open === true) forget = await openDashboard(stack, config, say);

    heading(`2. A campaign of ${options.specs} network-like shapes`);
    const model = await measure(stack, deviceClassId, options.specs, signal);

    heading('3. The model of this machine');
    if (model === null) say('  There are too few good samples for a model of this machine.');
    else {
      say(modelText(model));
      say(`\n${indented(whatTheAlphaMeans(model))}`);
    }

    heading('4. A model of a GPU: 1,000 samples of an NVIDIA H100, fitted on this machine');
    const gpu = await fitSample();
    // The fit blocked the event loop. Let the process handle the events of its connections first.
    await setImmediate();
    say(modelText(gpu));
    say(`\n${indented(whatTheAlphaMeans(gpu))}`);

    if (model !== null) {
      heading('5. One prediction, from the API');
      say(indented(await predictionText(stack, config.dataDirectory, model)));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    say('\nInterrupted; the measured samples are stored.');
    process.exitCode = 130;
  } finally {
    say('');
    await forget();
    await stack.stop();
  }
  if (!signal.aborted) {
    const directory = relative(process.cwd(), config.dataDirectory) || '.';
    say(
      `The demo has stopped its programs; its data are in ${directory}. To continue with them:\n\n` +
        `  npm start -- --data-dir ${directory} --port ${new URL(stack.url).port}\n`,
    );
  }
}

/** The device class of the worker that was just started, after its first heartbeat. */
async function onlineDeviceClass({ api }: LocalStack, signal: AbortSignal): Promise<string> {
  for (;;) {
    const { data } = await api.GET('/v1/workers', { signal });
    const worker = data?.items.find(({ presence }) => presence === 'online');
    const [deviceId] = worker?.deviceIds ?? [];
    if (deviceId !== undefined) {
      const { data: device } = await api.GET('/v1/devices/{id}', {
        params: { path: { id: deviceId } },
        signal,
      });
      if (device !== undefined) return device.deviceClassId;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Null if the machine was too disturbed for a model. */
async function measure(
  stack: LocalStack,
  deviceClassId: string,
  specs: number,
  signal: AbortSignal,
): Promise<Model | null> {
  const campaignId =
    (await unfinishedCampaign(stack, deviceClassId, signal)) ??
    (await createCampaign(stack, deviceClassId, specs, signal));
  const startedAt = Date.now();
  const connection = { url: stack.url, token: stack.token ?? '', fetch: stack.fetch };
  const final = await watchCampaign(connection, campaignId, { output: process.stdout, signal });
  const disturbed = disturbanceText(final, await disturbanceOf(stack, signal));
  if (disturbed !== null) console.log(indented(disturbed));
  if (final.state !== 'completed' || final.modelId === null) {
    if (!final.outcomes.ok && disturbed !== null) return null;
    throw new CliError('failed', `The campaign ended as ${final.state}: ${final.reason}.`);
  }
  const visits = visitsText(final, await campaignOf(stack, campaignId, signal));
  if (visits !== null) console.log(indented(visits));
  const took = seconds((Date.now() - startedAt) / 1000);
  console.log(`  measured, fitted and published in ${took}: ${final.modelId}`);
  const { data } = await stack.api.GET('/v1/models/{id}', {
    params: { path: { id: final.modelId } },
    signal,
  });
  return ModelSchema.parse(data);
}

/** The report of this machine's worker about a disturbance that does not end; null: no report. */
async function disturbanceOf({ api }: LocalStack, signal: AbortSignal): Promise<string | null> {
  const { data } = await api.GET('/v1/workers', { signal });
  return data?.items.find(({ presence }) => presence === 'online')?.disturbance ?? null;
}

async function campaignOf({ api }: LocalStack, id: string, signal: AbortSignal): Promise<Campaign> {
  const { data } = await api.GET('/v1/campaigns/{id}', { params: { path: { id } }, signal });
  return CampaignSchema.parse(data);
}

/** A campaign of an earlier, interrupted run. It continues by itself, so the demo only watches it. */
async function unfinishedCampaign(
  stack: LocalStack,
  deviceClassId: string,
  signal: AbortSignal,
): Promise<string | null> {
  const { data } = await stack.api.GET('/v1/campaigns', { params: { query: { deviceClassId } }, signal });
  const isGoingOn = ({ name, state }: { name: string; state: string }) =>
    name === NAME && ['planned', 'running', 'fitting'].includes(state);
  const campaign = data?.items.find(isGoingOn);
  if (campaign !== undefined) console.log(` continuing ${campaign.id} of an earlier run`);
  return campaign?.id ?? null;
}

async function createCampaign(
  stack: LocalStack,
  deviceClassId: string,
  specs: number,
  signal: AbortSignal,
): Promise<string> {
  const { data } = await stack.api.POST('/v1/campaigns', {
    body: {
      name: NAME,
      design: { name: 'networklike', seed: 1 },
      budget: { specs },
      constraints: CONSTRAINTS,
      target: { kind: 'device-class', deviceClassId },
    },
    signal,
  });
  return answered(data).id;
}

async function fitSample(): Promise<Model> {
  if (SAMPLE === undefined)
    throw new CliError('failed', 'The bundled sample of an H100 is missing: install alphaflops again.');
  const rows = await readAllSamples(await readFile(SAMPLE, 'utf8'), fileURLToPath(SAMPLE));
  return fitModel(rows, {
    device: { smCount: H100_SMS },
    origin: { digest: fitInputDigest(rows), codeVersion: VERSION, createdAt: new Date().toISOString() },
  });
}

function modelText(model: Model): string {
  const { samples, shapes } = model.data;
  return indented(
    [
      `α, from ${samples} samples of ${shapes} shapes:\n`,
      parametersTable(model.forms.filter(({ form }) => ['alpha', 'alpha-latency'].includes(form))),
      '\nError on held-out shapes:\n',
      heldOutTable(model),
    ].join('\n'),
  );
}

/**
 * Requests a prediction from the API like a user, and shows that a copy of the model gives the same result without it.
 */
async function predictionText(stack: LocalStack, dataDirectory: string, model: Model): Promise<string> {
  const body = {
    model: { kind: 'device-class' as const, deviceClassId: model.deviceClassId ?? '' },
    layers: [{ ...CONV_SPEC_DEFAULTS, ...EXAMPLE }],
  };
  const sent = JSON.stringify({ ...body, layers: [EXAMPLE] });
  const { data } = await stack.api.POST('/v1/predictions', { body });
  const [layer] = data?.layers ?? [];
  const offline = compileModel(model)({ ...CONV_SPEC_DEFAULTS, ...EXAMPLE });
  if (layer?.predictedMs !== offline.predictedMs) {
    throw new CliError('failed', 'The API and the published model do not agree on a prediction.');
  }
  const tokenFile = join(relative(process.cwd(), dataDirectory), 'cli.json');
  return [
    `A 3×3 convolution of a 56×56 image, 64 to 128 channels: ${(layer.macs / 1e6).toFixed(0)} million multiply-adds,`,
    `predicted ${ms(layer.predictedMs)}` +
      (layer.lowerMs === null ? '' : ` (90 % interval ${ms(layer.lowerMs)} to ${ms(layer.upperMs)})`) +
      `, α = ${layer.alpha.toFixed(3)}.`,
    'The same request while the coordinator runs:\n',
    `TOKEN=$(node -p 'JSON.parse(fs.readFileSync("${tokenFile}")).token')`,
    `curl -s ${stack.url}/v1/predictions -H "Authorization: Bearer $TOKEN" \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d '${sent}'`,
  ].join('\n');
}
