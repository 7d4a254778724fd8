import { afterEach, describe, expect, test } from 'vitest';

import { toInstant } from '#model/instant.ts';
import type { Delivery, Inbox } from '#ports/inbox.ts';

export interface InboxUnderTest {
  readonly open: () => Promise<Inbox>;
  /** True where what was accepted is there again after close and open. */
  readonly keeps: boolean;
  readonly tidy: () => Promise<void>;
}

export function delivery(id: string, at = 1000): Delivery {
  return { id, event: 'push', body: Buffer.from(`{"id":"${id}"}`), receivedAt: toInstant(at) };
}

async function idsOf(inbox: Inbox): Promise<readonly string[]> {
  return (await inbox.pending(100)).map((one) => one.id);
}

/** What every Inbox promises, told once for the real one and for the double. */
export function inboxContract(name: string, arrange: () => Promise<InboxUnderTest>): void {
  describe(`inbox contract: ${name}`, () => {
    let tidy: (() => Promise<void>) | undefined;
    afterEach(async () => tidy?.());

    async function fresh(): Promise<InboxUnderTest> {
      const made = await arrange();
      tidy = made.tidy;
      return made;
    }

    test('gives back the bytes, the event and the time of what it accepted', async () => {
      const inbox = await (await fresh()).open();
      const body = Uint8Array.from([0, 255, 1, 128]);

      const accepted = await inbox.accept({ id: 'a', event: 'push', body, receivedAt: toInstant(7) });
      const [row] = await inbox.pending(10);

      expect(accepted).toBe(true);
      expect({ ...row, body: [...(row?.body ?? [])] }).toEqual({ id: 'a', event: 'push', body: [0, 255, 1, 128], receivedAt: 7 });
      await inbox.close();
    });

    test('accepts an id once, also when it is asked twice at the same moment', async () => {
      const inbox = await (await fresh()).open();

      const answers = await Promise.all([inbox.accept(delivery('a')), inbox.accept(delivery('a')), inbox.accept(delivery('b'))]);
      const later = await inbox.accept(delivery('a'));

      expect(answers).toEqual([true, false, true]);
      expect(later).toBe(false);
      expect(await idsOf(inbox)).toEqual(['a', 'b']);
      await inbox.close();
    });

    test('lists what is not done, oldest first, up to the limit', async () => {
      const inbox = await (await fresh()).open();
      for (const id of ['c', 'a', 'b']) await inbox.accept(delivery(id));

      await inbox.done(['a']);

      expect(await idsOf(inbox)).toEqual(['c', 'b']);
      expect((await inbox.pending(1)).map((one) => one.id)).toEqual(['c']);
      await inbox.close();
    });

    test('row 11: a flood of long bodies is handed over in parts, and what is held is left out', async () => {
      const inbox = await (await fresh()).open();
      const body = Buffer.alloc(20 * 1024 * 1024, 'x');
      for (const id of ['a', 'b', 'c']) await inbox.accept({ id, event: 'push', body, receivedAt: toInstant(1) });
      await inbox.accept({ id: 'small', event: 'push', body: Buffer.from('{}'), receivedAt: toInstant(2) });

      const parts = [new Set<string>(), new Set(['a']), new Set(['a', 'b'])];
      const answers = await Promise.all(parts.map(async (except) => (await inbox.pending(10, except)).map((one) => one.id)));

      expect(answers).toEqual([['a'], ['b'], ['c', 'small']]);
      await inbox.close();
    });

    test('an id that is done is not accepted again until it is forgotten', async () => {
      const inbox = await (await fresh()).open();
      await inbox.accept(delivery('old', 1000));
      await inbox.accept(delivery('new', 2000));
      await inbox.accept(delivery('open', 1000));
      await inbox.done(['old', 'new']);

      await inbox.forget(toInstant(2000));

      expect(await inbox.accept(delivery('new'))).toBe(false);
      expect(await inbox.accept(delivery('open'))).toBe(false);
      expect(await inbox.accept(delivery('old'))).toBe(true);
      await inbox.close();
    });

    test('a second opening finds what the first accepted', async () => {
      const made = await fresh();
      const first = await made.open();
      await first.accept(delivery('a'));
      await first.accept(delivery('b'));
      await first.done(['a']);
      await first.close();

      const second = await made.open();

      expect(await idsOf(second)).toEqual(made.keeps ? ['b'] : []);
      expect(await second.accept(delivery('a'))).toBe(!made.keeps);
      await second.close();
    });

    test('refuses to accept after it was closed', async () => {
      const inbox = await (await fresh()).open();
      await inbox.close();

      await expect(inbox.accept(delivery('a'))).rejects.toMatchObject({ name: 'PortError', kind: 'transient' });
    });
  });
}
