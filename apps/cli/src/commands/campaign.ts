import type { components } from '@alphaflops/api-client';
import { type Campaign, FIXED_DESIGNS, MAX_CAMPAIGN_SPECS } from '@alphaflops/contracts';
import { percent } from '@alphaflops/contracts/text';
import type { Command } from 'commander';
import { type Connection, connect, type ConnectionOptions, withConnection } from '../connection.js';
import { constraintsOf, type DesignOptions, listOf, withDesign } from '../design-options.js';
import { CliError } from '../error.js';
import { EXIT, EXIT_BY_SIGNAL } from '../exit-code.js';
import { readText } from '../files.js';
import { duration, list, positiveNumber, shareOrPercent, targetShare, wholeNumber } from '../options.js';
import { answered, itemsOf } from '../pages.js';
import { interruption } from '../stack/interruption.js';
import { noiseFloorText } from '../noise-floor.js';
import { learningText } from '../learning.js';
import { json, seconds, significant, table } from '../tables.js';
import { targetOf } from '../target.js';
import { roundText, watchCampaign } from '../watch.js';
import { campaignCompareCommand } from './campaign-compare.js';
import { exportWorkCommand, importResultsCommand } from './campaign-offline.js';

type CampaignRequest = components['schemas']['CampaignRequest'];

interface CreateOptions extends ConnectionOptions, DesignOptions {
  name: string;
  budget?: number;
  targetError?: number;
  maxTime?: number;
  target?: string[];
  maxMs?: number;
  protocol?: string;
  energy?: true;
  replicates: number;
  repeats?: number;
  form: string;
  watch?: true;
  json?: true;
}

interface JsonOptions extends ConnectionOptions {
  json?: true;
}

interface ListOptions extends JsonOptions {
  limit: number;
  deviceClass?: string;
}

interface ReasonOptions extends JsonOptions {
  reason?: string;
}

/** Default maximum number of convolutions of a campaign with a target error: a fit uses no more. */
const TARGET_BUDGET = 20_000;

const CHANGES = {
  pause: 'stop giving batches to workers',
  resume: 'continue a paused campaign',
  cancel: 'stop a campaign permanently; its samples stay',
} as const;

export function campaignCommand(command: Command): void {
  withConnection(
    withDesign(command.command('create').description('plan a campaign and start it'), ['adaptive', 'csv']),
  )
    .requiredOption('--name <name>', 'for people')
    .option(
      '--budget <specs>',
      `maximum number of convolutions; required without a target error (with one, the default is ${TARGET_BUDGET})`,
      wholeNumber(1, MAX_CAMPAIGN_SPECS),
    )
    .option(
      '--target-error <share>',
      'stop when the held-out median error of the model is at or below this, such as 8%; above 0 and below 1',
      targetShare,
    )
    .option('--max-time <time>', 'stop measuring after this time, such as 90s, 30m or 2h', duration)
    .option('--target <ids>', 'a device class, devices, or auto: the one device class that is online', list)
    .option(
      '--max-ms <number>',
      'leave out convolutions that take longer according to the newest model',
      positiveNumber,
    )
    .option('--protocol <name>', 'how convolutions are timed (default: the protocol for the device)')
    .option('--energy', 'also measure energy if the device counts it: about 2 s more for each convolution')
    .option('--replicates <number>', 'measurements of each convolution', wholeNumber(1, 100), 1)
    .option(
      '--repeats <share>',
      'share of the shapes to measure a second time, later, on the same device, for the noise floor (default: 3%, and at least 10 shapes for a budget of 100 or more)',
      shareOrPercent,
    )
    .option('--form <name>', 'form of the model that is fitted at the end: auto or a form', 'auto')
    .option('--watch', 'show its progress until it ends')
    .option(
      '--json',
      'print JSON; with --watch, the final state on standard output and the progress on standard error',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  alphaflops campaign create --name first --design networklike --budget 500 --watch\n' +
        '  alphaflops campaign create --name good --design networklike --target-error 8% --max-time 2h --watch',
    )
    .action(create);
  withConnection(command.command('list').description('campaigns, newest first'))
    .option('--limit <number>', 'maximum number of rows', wholeNumber(1), 50)
    .option('--device-class <id>', 'only campaigns of this device class')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  alphaflops campaign list --limit 10')
    .action(listCampaigns);
  withConnection(command.command('show').argument('<id>').description('one campaign and its progress'))
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  alphaflops campaign show ID')
    .action(show);
  withConnection(
    command.command('watch').argument('<id>').description('live progress until the campaign ends'),
  )
    .option('--json', 'print the final state as JSON, and the progress on standard error')
    .addHelpText(
      'after',
      '\nEnds with 0 if the campaign completes, with 1 if it fails or is cancelled.\n' +
        '\nExample:\n  alphaflops campaign watch ID',
    )
    .action((id: string, options: JsonOptions) => watch(connect(options), id, options));
  campaignCompareCommand(command.command('compare'));
  exportWorkCommand(command.command('export-work'));
  importResultsCommand(command.command('import-results'));
  for (const [name, description] of Object.entries(CHANGES)) {
    withConnection(command.command(name).argument('<id>').description(description))
      .option('--reason <text>', 'stored with the campaign')
      .option('--json', 'print JSON')
      .addHelpText('after', `\nExample:\n  alphaflops campaign ${name} ID --reason "the GPUs are needed"`)
      .action((id: string, options: ReasonOptions) => change(name as keyof typeof CHANGES, id, options));
  }
}

async function create(options: CreateOptions): Promise<void> {
  const connection = connect(options);
  const { api } = connection;
  const { protocol } = options;
  const constraints = constraintsOf(options);
  const body: CampaignRequest = {
    name: options.name,
    design: await designOf(options),
    target: await targetOf(options.target ?? [], api),
    budget: budgetOf(options),
    ...(Object.keys(constraints).length > 0 && { constraints }),
    ...(protocol !== undefined && { protocol }),
    ...(options.energy === true && { energy: true }),
    replicates: options.replicates,
    ...(options.repeats !== undefined && { repeats: options.repeats }),
    fit: { form: options.form, seed: options.seed },
  };
  const campaign = answered((await api.POST('/v1/campaigns', { body })).data);
  if (options.json !== true) console.log(created(campaign));
  else if (options.watch !== true) console.log(json(campaign));
  if (options.watch === true) await watch(connection, campaign.id, options);
}

function budgetOf({ budget, targetError, maxTime, maxMs }: CreateOptions): CampaignRequest['budget'] {
  const specs = budget ?? (targetError === undefined ? undefined : TARGET_BUDGET);
  if (specs === undefined) {
    throw new CliError(
      'usage',
      'Give the number of convolutions to measure (--budget 500), or the target error of the model (--target-error 8%).',
    );
  }
  return {
    specs,
    ...(targetError !== undefined && { targetError }),
    ...(maxTime !== undefined && { maxSeconds: maxTime }),
    ...(maxMs !== undefined && { maxSpecMs: maxMs }),
  };
}

async function designOf(options: DesignOptions): Promise<CampaignRequest['design']> {
  const { design: name, seed } = options;
  const file = listOf(options);
  if (file !== null) return { name: 'csv', csv: await readText(file) };
  // The coordinator may know more designs than this program. It refuses unknown ones by name.
  const isFixed = (FIXED_DESIGNS as readonly string[]).includes(name);
  return (isFixed ? { name } : { name, seed }) as CampaignRequest['design'];
}

function created({
  id,
  plannedSpecs,
  plannedSlots,
  rounds,
  request,
  excluded,
}: Pick<Campaign, 'id' | 'plannedSpecs' | 'plannedSlots' | 'rounds' | 'request' | 'excluded'>): string {
  const reasons = Object.entries(excluded).map(([reason, count]) => `${count} ${reason}`);
  const leftOut = reasons.length === 0 ? '' : `; left out: ${reasons.join(', ')}`;
  const slots = plannedSlots === plannedSpecs ? '' : ` (${plannedSlots} measurements)`;
  const most = rounds?.storedSpecs ?? request.budget.specs;
  const round =
    rounds === undefined ? '' : ` for the first ${roundsText(rounds.ends.length)}, of ${most} at most`;
  return `Campaign ${id}: ${plannedSpecs} convolutions planned${slots}${round}${leftOut}.`;
}

function roundsText(count: number): string {
  return count === 1 ? 'round' : `${count} rounds`;
}

async function watch(connection: Connection, id: string, options: JsonOptions): Promise<void> {
  const { signal } = interruption();
  const asJson = options.json === true;
  try {
    const output = asJson ? process.stderr : process.stdout;
    const { state, reason, noiseFloor, stop } = await watchCampaign(connection, id, { output, signal });
    if (asJson) await show(id, options);
    else {
      if (stop !== null) console.log(`It stopped measuring: ${stop.reason}.`);
      if (noiseFloor !== null) console.log(`Noise floor: ${noiseFloorText(noiseFloor)}.`);
      console.log(`The campaign is ${state}: ${reason}.`);
    }
    process.exitCode = state === 'completed' ? EXIT.done : EXIT.failed;
  } catch (error) {
    if (!signal.aborted) throw error;
    console.error(`The campaign continues. To watch it again: alphaflops campaign watch ${id}`);
    process.exitCode = EXIT_BY_SIGNAL.SIGINT ?? EXIT.failed;
  }
}

async function listCampaigns({ limit, deviceClass: deviceClassId, ...options }: ListOptions): Promise<void> {
  const { api } = connect(options);
  const filter = deviceClassId === undefined ? {} : { deviceClassId };
  const campaigns = await itemsOf(
    (page) => api.GET('/v1/campaigns', { params: { query: { ...page, ...filter } } }),
    limit,
  );
  if (options.json === true) {
    console.log(json(campaigns));
    return;
  }
  console.log(
    table(
      ['id', 'name', 'state', 'design', 'planned', 'device class', 'created'],
      campaigns.map((campaign) => [
        ...[campaign.id, campaign.name, campaign.state, campaign.request.design.name],
        ...[String(campaign.plannedSlots), campaign.deviceClassId, campaign.createdAt],
      ]),
    ),
  );
}

async function show(id: string, options: JsonOptions): Promise<void> {
  const { api } = connect(options);
  const at = { params: { path: { id } } };
  const campaign = answered((await api.GET('/v1/campaigns/{id}', at)).data);
  const progress = answered((await api.GET('/v1/campaigns/{id}/progress', at)).data);
  if (options.json === true) {
    console.log(json({ ...campaign, progress }));
    return;
  }
  const { recordedSlots, totalSlots, round, outcomes, slotsPerSecond, remainingSeconds } = progress;
  const happened = Object.entries(outcomes).filter(([, count]) => count > 0);
  const rows = [
    ['name', campaign.name],
    ['state', `${campaign.state} (${progress.reason})`],
    ['design', `${campaign.request.design.name}, ${campaign.plannedSpecs} convolutions`],
    ['device class', campaign.deviceClassId],
    ['protocol', `${campaign.protocol.name} v${campaign.protocol.version}`],
    ['energy', campaign.protocol.energyWindowMs === undefined ? '' : 'measured too'],
    ['target error', progress.targetError === null ? '' : percent(progress.targetError)],
    ...progress.learning.map((point, row) => [row === 0 ? 'learning curve' : '', learningText(point)]),
    ['forecast', progress.forecast?.text ?? ''],
    ['stopped', progress.stop === null ? '' : `${progress.stop.kind}: ${progress.stop.reason}`],
    ['recorded', `${recordedSlots} of ${totalSlots}`],
    ['round', round === null ? '' : roundText(round).replace(/^round /, '')],
    ['outcomes', happened.map(([outcome, count]) => `${count} ${outcome}`).join(', ')],
    ['rate', slotsPerSecond === null ? '' : `${significant(slotsPerSecond, 2)}/s`],
    ['remaining', remainingSeconds === null ? '' : seconds(remainingSeconds)],
    ['noise floor', progress.noiseFloor === null ? '' : noiseFloorText(progress.noiseFloor)],
    ['model', campaign.modelId ?? ''],
    ...campaign.history.map(({ state, at, reason }, row) => [
      row === 0 ? 'history' : '',
      `${at}  ${state}: ${reason}`,
    ]),
  ];
  console.log(
    table(
      [campaign.id, ''],
      rows.filter(([, value]) => value !== ''),
    ),
  );
}

async function change(what: keyof typeof CHANGES, id: string, options: ReasonOptions): Promise<void> {
  const { api } = connect(options);
  const body = options.reason === undefined ? {} : { reason: options.reason };
  const { data } = await api.POST(`/v1/campaigns/{id}/${what}`, { params: { path: { id } }, body });
  const campaign = answered(data);
  console.log(options.json === true ? json(campaign) : `The campaign ${id} is ${campaign.state}.`);
}
