import { decodeCursor, encodeCursor, pageFrom } from './paging.js';

describe('cursors', () => {
  it('decode to the id that was encoded, for any id', () => {
    for (const id of ['sample-1', 'class-a-v12', '', '"],[', '💥', 'a\u0000b']) {
      expect(decodeCursor('samples', encodeCursor('samples', id))).toBe(id);
    }
  });

  it('stay within the 400 characters of a page query for the longest id', () => {
    expect(encodeCursor('device-classes', 'x'.repeat(120)).length).toBeLessThanOrEqual(400);
  });

  it('are refused for another list, and when one character is changed, added or missing', () => {
    const cursor = encodeCursor('models', 'class-a-v1');
    const wrong = [`${cursor}=`, `${cursor} `, `${cursor}A`, cursor.slice(0, -1), cursor.toLowerCase(), ''];
    for (const text of wrong) {
      expect(() => decodeCursor('models', text)).toThrow(/unchanged, or send no cursor/);
    }
    expect(() => decodeCursor('samples', cursor)).toThrow(/list of samples/);
  });
});

describe('pageFrom', () => {
  const items = ['a', 'b', 'c'].map((id) => ({ id }));

  it('points to its last item when more items follow', () => {
    const page = pageFrom('letters', items, 2);
    expect(page.items).toEqual(items.slice(0, 2));
    expect(decodeCursor('letters', page.nextCursor ?? '')).toBe('b');
  });

  it('has no cursor on the last page, full or not', () => {
    expect(pageFrom('letters', items, 3)).toEqual({ items, nextCursor: null });
    expect(pageFrom('letters', items, 4)).toEqual({ items, nextCursor: null });
    expect(pageFrom('letters', [], 4)).toEqual({ items: [], nextCursor: null });
  });
});
