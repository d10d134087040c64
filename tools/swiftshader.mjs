// Provides SwiftShader, a Vulkan driver that computes on the processor, for the tests of WebGPU. It is unpacked from
// the Chromium package of Debian, which is not installed for this. The Vulkan loader comes from libvulkan1, which is
// unpacked next to it if it cannot be installed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { downloadDebianPackages, libraryFolders, unpackDebianPackages } from './debian-packages.mjs';

const cache = resolve(import.meta.dirname, '../node_modules/.cache/alphaflops');
const home = join(cache, 'swiftshader');
const loaderHome = join(cache, 'vulkan-loader');
const library = join(home, 'libvk_swiftshader.so');
/** The manifest through which the Vulkan loader finds the driver. */
const driverFile = join(home, 'vk_swiftshader_icd.json');

/** The packages in which Debian has shipped the driver. */
const PACKAGES = ['chromium-common', 'chromium'];
const DOWNLOAD_LIMIT_MS = 180_000;

/** Makes the driver visible to processes that start later, in addition to the drivers of the machine. */
export default function offerSwiftShader() {
  if (!existsSync(driverFile)) return;
  process.env.VK_ADD_DRIVER_FILES = driverFile;
  const libraries = libraryFolders(loaderHome).map((path) => join(loaderHome, path));
  if (libraries.length === 0) return;
  process.env.LD_LIBRARY_PATH = [...libraries, process.env.LD_LIBRARY_PATH]
    .filter((path) => path !== undefined && path !== '')
    .join(':');
}

/** Whether driver and loader exist. */
export function hasSwiftShader() {
  if (!existsSync(driverFile)) return false;
  return libraryFolders(loaderHome).length > 0 || isLoaderInstalled();
}

function isLoaderInstalled() {
  try {
    process.dlopen({ exports: {} }, 'libvulkan.so.1');
  } catch (error) {
    // The loader is not an addon of Node. The error reports this if the loader was found.
    return !error.message.includes('cannot open shared object file');
  }
  return true;
}

/** Unpacks the Vulkan loader for a user who may not install it. @throws Error with the reason of the failure */
export function unpackVulkanLoader() {
  if (!isLoaderInstalled()) unpackDebianPackages(['libvulkan1'], loaderHome);
}

/** Needs no rights, only apt-get. Throws an Error with what went wrong. */
export function installSwiftShader() {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'swiftshader-'));
  try {
    const failures = PACKAGES.map((name) => takeFrom(name, folder));
    if (failures.every((failure) => failure !== null)) throw new Error(failures.join('; '));
    const icd = { library_path: library, api_version: '1.0.5' };
    const beside = join(folder, 'icd.json');
    writeFileSync(beside, JSON.stringify({ file_format_version: '1.0.0', ICD: icd }));
    // Written last: if this file exists, the library exists too.
    renameSync(beside, driverFile);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Returns null if the package contained the driver, or an earlier package did. Otherwise returns the reason. */
function takeFrom(name, folder) {
  if (existsSync(library)) return null;
  const command = (program, ...args) =>
    spawnSync(program, args, { cwd: folder, encoding: 'utf8', timeout: DOWNLOAD_LIMIT_MS });
  try {
    downloadDebianPackages([name], folder);
  } catch (error) {
    return `${name}: ${error.message}`;
  }
  const file = readdirSync(folder).find((entry) => entry.startsWith(`${name}_`));
  const unpacked = command('dpkg-deb', '-x', file, name);
  if (unpacked.status !== 0) return `dpkg-deb -x ${file}: ${lastLine(unpacked)}`;
  const found = join(folder, name, 'usr/lib/chromium/libvk_swiftshader.so');
  if (!existsSync(found)) return `there is no libvk_swiftshader.so in ${name}`;
  mkdirSync(home, { recursive: true });
  renameSync(found, library);
  return null;
}

function lastLine({ error, stderr }) {
  return error?.message ?? stderr.trim().split('\n').at(-1);
}
