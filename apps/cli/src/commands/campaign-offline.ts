import { createReadStream, existsSync } from 'node:fs';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ApiClient } from '@alphaflops/api-client';
import {
  type EnrolmentRequest,
  EnrolmentRequestSchema,
  OfflineResultLineSchema,
  RESULT_FILES,
  VERSION,
  WORK_FILES,
  type WorkAbout,
  WORKER_PROTOCOL_VERSION,
} from '@alphaflops/contracts';
import { errorText as messageOf } from '@alphaflops/contracts/text';
import { packFolder, unpackFile } from '@alphaflops/store';
import type { Command } from 'commander';
import { connect, type ConnectionOptions, withConnection } from '../connection.js';
import { CliError } from '../error.js';
import { answered } from '../pages.js';
import { json } from '../tables.js';

interface ExportOptions extends ConnectionOptions {
  out: string;
}

interface ImportOptions extends ConnectionOptions {
  json?: true;
}

/** Number of batches per request. A batch has up to some MB. */
const PAGE = 20;

export function exportWorkCommand(command: Command): void {
  withConnection(command)
    .argument('<id>')
    .description('write the remaining work of a campaign to a file for nodes without a network')
    .requiredOption('--out <file>', 'such as work.tgz')
    .addHelpText(
      'after',
      '\nThe batches stay open: connected workers continue with them, and each batch is stored once. For an adaptive campaign,\n' +
        'the file has the work of its current round; export again after the import. The file contains no secret.\n' +
        '\nOn the node: alphaflops-worker run-offline work.tgz --out results.tgz\n' +
        '\nExample:\n  alphaflops campaign export-work ID --out work.tgz',
    )
    .action(exportWork);
}

export function importResultsCommand(command: Command): void {
  withConnection(command)
    .argument('<file>', 'a results file from run-offline')
    .description('store the results of a node without a network')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nRegisters the node and its devices, and stores each batch after the same checks as for results of connected workers:\n' +
        'the signatures of the node, and the planned work. You may repeat the command. It ends with 1 if a batch was refused.\n' +
        '\nExample:\n  alphaflops campaign import-results results.tgz',
    )
    .action(importResults);
}

async function exportWork(id: string, options: ExportOptions): Promise<void> {
  const { out } = options;
  if (existsSync(out)) throw new CliError('usage', `${out} exists already. Name a new file.`);
  const { api } = connect(options);
  const { name } = answered((await api.GET('/v1/campaigns/{id}', { params: { path: { id } } })).data);
  await inFolder(async (folder) => {
    const lines = await open(join(folder, WORK_FILES.batches), 'wx');
    let batches = 0;
    try {
      for (let cursor: string | null | undefined; cursor !== null;) {
        const query = { limit: PAGE, ...(cursor !== undefined && { cursor }) };
        const page = answered(
          (await api.GET('/v1/campaigns/{id}/work', { params: { path: { id }, query } })).data,
        );
        for (const batch of page.items) await lines.appendFile(`${JSON.stringify(batch)}\n`);
        batches += page.items.length;
        cursor = page.nextCursor;
      }
    } finally {
      await lines.close();
    }
    const about: WorkAbout = {
      schema: 'alphaflops.work/1',
      campaignId: id,
      campaignName: name,
      coordinatorVersion: VERSION,
      protocolVersion: WORKER_PROTOCOL_VERSION,
      exportedAt: new Date().toISOString(),
    };
    await writeFile(join(folder, WORK_FILES.about), `${JSON.stringify(about, null, 2)}\n`);
    await packFolder(folder, out);
    console.log(
      `${batches} batches of ${id} are in ${out}.\n\nOn the node:\n\n  alphaflops-worker run-offline ${out} --out results.tgz\n`,
    );
  });
}

async function importResults(file: string, options: ImportOptions): Promise<void> {
  const { api } = connect(options);
  await inFolder(async (folder) => {
    const node = await readNode(file, folder);
    const worker = answered((await api.POST('/v1/workers/offline', { body: node })).data);
    const refused: { campaignId: string; batchIndex: number; reason: string }[] = [];
    let stored = 0;
    let at = 0;
    const lines = createInterface({ input: createReadStream(join(folder, RESULT_FILES.results)) });
    for await (const line of lines) {
      at += 1;
      const reason = await storeResult(api, line, `${file}: line ${at} of ${RESULT_FILES.results}`);
      if (reason === null) stored += 1;
      else refused.push(reason);
    }
    if (options.json === true) console.log(json({ worker, stored, refused }));
    else {
      console.log(
        `${worker.name} (${worker.id}) with ${worker.deviceIds.length} devices is registered. Stored ${stored} of ${at} batches.`,
      );
    }
    if (refused.length === 0) return;
    const reasons = refused.map(
      ({ campaignId, batchIndex, reason }) => `batch ${batchIndex} of ${campaignId}: ${reason}`,
    );
    throw new CliError('failed', reasons.join('\n'));
  });
}

/** What the node says about itself. @throws CliError `bad-input` */
async function readNode(file: string, folder: string): Promise<EnrolmentRequest> {
  try {
    await unpackFile(file, folder, Object.values(RESULT_FILES));
    return EnrolmentRequestSchema.parse(JSON.parse(await readFile(join(folder, RESULT_FILES.node), 'utf8')));
  } catch (cause) {
    throw new CliError('bad-input', `${file} is not a results file of run-offline: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** Null if the batch is stored, now or before; otherwise the reason why the coordinator refuses it. */
async function storeResult(api: ApiClient, line: string, place: string) {
  const parsed = OfflineResultLineSchema.safeParse(jsonOrNull(line));
  if (!parsed.success) throw new CliError('bad-input', `${place} is malformed.`);
  const { campaignId, ...body } = parsed.data;
  try {
    await api.POST('/v1/campaigns/{id}/results', { params: { path: { id: campaignId } }, body });
    return null;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return { campaignId, batchIndex: body.batchIndex, reason: messageOf(error) };
  }
}

function isRefusal(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && ['result-refused', 'not-found'].includes(String(error.code))
  );
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function inFolder(act: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'alphaflops-carry-'));
  try {
    await act(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
