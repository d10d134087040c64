// SwiftShader, a Vulkan driver that computes on the processor, for the tests of WebGPU: taken out of Debian's package of
// Chromium, which is not installed for it. The Vulkan loader itself comes from libvulkan1, unpacked beside it where it
// cannot be installed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { downloadDebianPackages, libraryFolders, unpackDebianPackages } from './debian-packages.mjs';

const cache = resolve(import.meta.dirname, '../node_modules/.cache/alphaflops');
const home = join(cache, 'swiftshader');
const loaderHome = join(cache, 'vulkan-loader');
const library = join(home, 'libvk_swiftshader.so');
/** What tells the Vulkan loader of it. */
const driverFile = join(home, 'vk_swiftshader_icd.json');

/** Where Debian has had it. */
const PACKAGES = ['chromium-common', 'chromium'];
const DOWNLOAD_LIMIT_MS = 180_000;

/** Processes that are started from here on find the driver beside those that the machine has. */
export default function offerSwiftShader() {
  if (!existsSync(driverFile)) return;
  process.env.VK_ADD_DRIVER_FILES = driverFile;
  const libraries = libraryFolders(loaderHome).map((path) => join(loaderHome, path));
  if (libraries.length === 0) return;
  process.env.LD_LIBRARY_PATH = [...libraries, process.env.LD_LIBRARY_PATH]
    .filter((path) => path !== undefined && path !== '')
    .join(':');
}

/** Whether driver and loader are there. */
export function hasSwiftShader() {
  if (!existsSync(driverFile)) return false;
  return libraryFolders(loaderHome).length > 0 || isLoaderInstalled();
}

function isLoaderInstalled() {
  try {
    process.dlopen({ exports: {} }, 'libvulkan.so.1');
  } catch (error) {
    // It is no addon of Node, which is what the error says when it was found.
    return !error.message.includes('cannot open shared object file');
  }
  return true;
}

/** Unpacks the Vulkan loader for a user who may not install it. @throws Error with what went wrong */
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

/** Null when it was in the package, or has been in one before. */
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
