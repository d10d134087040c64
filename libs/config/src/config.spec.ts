import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, describeVariables, parseEnvironment, readConfig } from './index.js';

describe('config', () => {
  it('prefers the command line to the environment, and the environment to the file', () => {
    const directory = mkdtempSync(join(tmpdir(), 'alphaflops-config-'));
    const file = join(directory, 'config.json');
    writeFileSync(
      file,
      JSON.stringify({ ALPHAFLOPS_PORT: 1001, ALPHAFLOPS_HOST: '0.0.0.0', ALPHAFLOPS_HEARTBEAT_S: 3 }),
    );
    process.env['ALPHAFLOPS_CONFIG'] = file;
    process.env['ALPHAFLOPS_PORT'] = '1002';
    process.env['ALPHAFLOPS_HOST'] = '127.0.0.2';
    try {
      const config = readConfig({ ALPHAFLOPS_PORT: '1003' });
      const other = join(directory, 'other.json');
      writeFileSync(other, JSON.stringify({ ALPHAFLOPS_TOKN: 'hush' }));
      expect(() => readConfig({ ALPHAFLOPS_CONFIG: other })).toThrow(
        /other\.json[^]*no setting ALPHAFLOPS_TOKN/,
      );
      expect([config.port, config.host, config.heartbeatS]).toEqual([1003, '127.0.0.2', 3]);
      expect(() => {
        (config.limits as { bodyBytes: number }).bodyBytes = 1;
      }).toThrow(TypeError);
    } finally {
      for (const name of ['CONFIG', 'PORT', 'HOST'])
        Reflect.deleteProperty(process.env, `ALPHAFLOPS_${name}`);
      rmSync(directory, { recursive: true });
    }
  });

  it('names every wrong variable and repeats no value', () => {
    const attempt = () =>
      parseEnvironment({ ROLES: 'api,cook', ALPHAFLOPS_PORT: 'hush-99999', ALPHAFLOPS_STORE: 'hush' });
    expect(attempt).toThrow(ConfigError);
    expect(attempt).toThrow(
      /ROLES: unknown role cook[^]*ALPHAFLOPS_STORE: must look like[^]*ALPHAFLOPS_PORT/,
    );
    expect(attempt).not.toThrow(/hush/);
  });

  it('takes MongoDB as the store from either variable, and prefers the more specific one', () => {
    const uri = 'mongodb+srv://zoe:hush@cluster.example/lab';
    const cases: [Record<string, string>, string | null, RegExp][] = [
      [{}, null, /data\/alphaflops\.sqlite$/],
      [{ MONGODB_URI: uri }, uri, /data\/alphaflops\.sqlite$/],
      [{ ALPHAFLOPS_STORE: uri }, uri, /data\/alphaflops\.sqlite$/],
      [{ ALPHAFLOPS_STORE: uri, MONGODB_URI: 'mongodb://elsewhere' }, uri, /./],
      [{ ALPHAFLOPS_STORE: 'sqlite:/srv/lab.sqlite', MONGODB_URI: uri }, null, /^\/srv\/lab\.sqlite$/],
    ];
    for (const [overrides, mongodbUri, storeFile] of cases) {
      const config = readConfig({ MONGODB_URI: '', ALPHAFLOPS_DATA_DIR: 'data', ...overrides });
      expect(config.mongodbUri).toBe(mongodbUri);
      expect(config.storeFile).toMatch(storeFile);
    }
    const attempt = () => parseEnvironment({ MONGODB_URI: 'hush', ALPHAFLOPS_STORE: 'postgres://hush' });
    expect(attempt).toThrow(/ALPHAFLOPS_STORE: must look like[^]*MONGODB_URI: must look like/);
    expect(attempt).not.toThrow(/hush/);
  });

  it('treats an empty variable as absent', () => {
    expect(parseEnvironment({ ALPHAFLOPS_PORT: '' }).ALPHAFLOPS_PORT).toBe(8080);
  });

  it('describes every variable, with the default and the valid values of its schema', () => {
    const described = describeVariables();
    expect(described.filter(({ meaning, values }) => meaning === '' || values === '')).toEqual([]);
    const of = (name: string) => described.find((variable) => variable.name === name);
    expect(of('ALPHAFLOPS_PORT')).toMatchObject({ default: '8080', values: '0 to 65535' });
    expect(of('ALPHAFLOPS_LOG_LEVEL')).toMatchObject({ default: 'log', values: 'error, warn, log, debug' });
    expect(of('ALPHAFLOPS_HEARTBEAT_S')).toMatchObject({ default: '10', values: '1 or more seconds' });
    expect(of('ALPHAFLOPS_INSECURE')).toMatchObject({ default: 'false', values: '0, 1, true, false' });
    expect(of('ROLES')).toMatchObject({ default: 'api,record,fit' });
    expect(of('REDIS_URL')).toMatchObject({ default: '' });
  });
});
