import { inspect } from 'node:util';
import { Address } from './address.js';
import { openMongoStores } from './index.js';

describe('address', () => {
  it('names hosts and database, and no credentials', () => {
    const shown = (uri: string) => new Address(uri).shown;
    expect(shown('mongodb://zoe:hush@a.example:27017,b.example/lab?replicaSet=x')).toBe(
      'mongodb://a.example:27017,b.example/lab',
    );
    expect(shown('mongodb+srv://zoe:hush%40@cluster.example')).toBe(
      'mongodb+srv://cluster.example/alphaflops',
    );
    expect(new Address('mongodb://localhost/lab', 'other').shown).toBe('mongodb://localhost/other');
  });

  it.each([
    '',
    'postgres://zoe:hush@a/b',
    'mongodb://',
    'mongodb://zoe:hu/sh@host/db',
    'mongodb://zoe:hush@a:99999/b',
  ])('refuses %j and does not repeat it', async (uri) => {
    const error: unknown = await openMongoStores(uri).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'StoreError', code: 'unavailable' });
    expect(inspect(error, { depth: 10 })).not.toMatch(/hush|hu\/sh|zoe/);
  });

  it('sets limits that the address can override, and a write concern that it cannot override', async () => {
    const client = new Address('mongodb://localhost/?socketTimeoutMS=7&w=0&retryWrites=false').client({
      serverSelectionTimeoutMS: 9,
    });
    const { socketTimeoutMS, connectTimeoutMS, serverSelectionTimeoutMS, retryWrites } = client.options;
    expect({ socketTimeoutMS, connectTimeoutMS, serverSelectionTimeoutMS, retryWrites }).toEqual({
      socketTimeoutMS: 7,
      connectTimeoutMS: 5000,
      serverSelectionTimeoutMS: 9,
      retryWrites: true,
    });
    expect(client.options.writeConcern).toMatchObject({ w: 'majority', journal: true });
    await client.close();
  });

  it('names the server that does not answer, without the credentials', async () => {
    const uri = 'mongodb://zoe:hush@127.0.0.1:1/lab';
    const error: unknown = await openMongoStores(uri, { serverSelectionTimeoutMs: 300 }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ name: 'StoreError', code: 'unavailable' });
    expect(String(error)).toContain('mongodb://127.0.0.1:1/lab: no server that takes writes');
    expect(inspect(error, { depth: 10 })).not.toMatch(/hush|zoe/);
  });
});
