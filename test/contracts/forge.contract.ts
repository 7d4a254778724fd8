import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { CommitId } from '#model/digest.ts';
import { toInstant } from '#model/instant.ts';
import type { Forge } from '#ports/forge.ts';

/** A forge with a repository of one commit on main, an engine's account, and a person who may write. */
export interface ForgeBench {
  /** As after a start of the program: nothing remembered. */
  readonly engine: () => Forge;
  readonly engineLogin: string;
  readonly personLogin: string;
  /** A branch with one commit of its own by the person, off main; the same name again adds a commit. */
  branch(name: string): Promise<CommitId>;
  headOf(branch: string): Promise<CommitId>;
  /** By the person. */
  approve(number: number): Promise<void>;
  comments(number: number): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** What every forge does, whoever keeps it. */
export function forgeContract(name: string, openBench: () => Promise<ForgeBench>): void {
  describe(`a forge by ${name}`, () => {
    let bench: ForgeBench;

    beforeAll(async () => {
      bench = await openBench();
    });

    afterAll(async () => {
      await bench.close();
    });

    function draft(head: string) {
      return { head, base: 'main', title: `promote: ${head}`, body: 'why', labels: ['promotion'] };
    }

    test('knows who it is', async () => {
      expect(await bench.engine().account()).toEqual({ login: bench.engineLogin, kind: expect.any(String) });
    });

    test('row 76: opens a request once, however often and by however many it is asked', async () => {
      const headCommit = await bench.branch('promote/dev/open');
      const forge = bench.engine();

      const [one, two] = await Promise.all([forge.open(draft('promote/dev/open')), bench.engine().open(draft('promote/dev/open'))]);
      const again = await bench.engine().open({ ...draft('promote/dev/open'), title: 'another' });

      expect(one).toMatchObject({
        state: 'open',
        title: 'promote: promote/dev/open',
        body: 'why',
        head: 'promote/dev/open',
        headCommit,
        base: 'main',
        labels: ['promotion'],
        author: bench.engineLogin,
        mergeCommit: undefined,
      });
      expect([two.number, again.number]).toEqual([one.number, one.number]);
      expect((await forge.list('promote/dev/open', undefined)).map((request) => request.number)).toEqual([one.number]);
    });

    test('edits, comments once, closes, and says who closed it; opening again makes a new request', async () => {
      await bench.branch('promote/dev/edit');
      const forge = bench.engine();
      const { number } = await forge.open(draft('promote/dev/edit'));

      await forge.edit(number, { title: 'new title', comment: 'superseded' });
      await forge.edit(number, { body: 'new body', comment: 'superseded' });
      await forge.edit(number, { state: 'closed', comment: 'superseded' });
      await forge.edit(number, { state: 'closed' });

      expect(await forge.findByHead('promote/dev/edit')).toMatchObject({
        number,
        title: 'new title',
        body: 'new body',
        state: 'closed',
        closedBy: bench.engineLogin,
      });
      expect(await bench.comments(number)).toEqual(['superseded']);
      const next = await forge.open(draft('promote/dev/edit'));
      expect(next.number).toBeGreaterThan(number);
      expect(await bench.engine().findByHead('promote/dev/edit')).toMatchObject({ number: next.number, state: 'open' });
    });

    test('lists open requests by prefix, and closed ones that moved since', async () => {
      await bench.branch('promote/list/one');
      const forge = bench.engine();
      const { number } = await forge.open(draft('promote/list/one'));
      await forge.edit(number, { state: 'closed' });

      const heads = async (since: number | undefined): Promise<readonly string[]> =>
        (await forge.list('promote/list/', since === undefined ? undefined : toInstant(since))).map((request) => request.head);

      expect(await heads(undefined)).toEqual(['promote/list/one']);
      expect(await heads(Date.parse('2100-01-01T00:00:00Z'))).toEqual([]);
      expect(await forge.list('nowhere/', undefined)).toEqual([]);
    });

    test('an open request follows its branch', async () => {
      await bench.branch('promote/dev/moved');
      const { number } = await bench.engine().open(draft('promote/dev/moved'));

      const second = await bench.branch('promote/dev/moved');

      expect(await bench.engine().findByHead('promote/dev/moved')).toMatchObject({ number, headCommit: second });
    });

    test('publishes a check; the newest word of a name counts and is cut to what a forge takes', async () => {
      const commit = await bench.branch('feature/publish');
      const forge = bench.engine();
      await forge.publish(commit, { name: 'capstan/promote', state: 'pending', detail: 'soak' });
      const { requests } = forge.counts();

      await forge.publish(commit, { name: 'capstan/promote', state: 'pending', detail: 'soak' });
      expect(forge.counts().requests).toBe(requests);
      await bench.engine().publish(commit, { name: 'capstan/promote', state: 'success', detail: 'x'.repeat(300) });

      const readings = (await bench.engine().checks(commit)).filter((check) => check.name === 'capstan/promote');
      expect(readings.map((check) => [check.state, check.detail.length])).toEqual([['success', 140]]);
      expect((await forge.checks(await bench.headOf('main'))).filter((check) => check.name === 'capstan/promote')).toEqual([]);
    });

    test('reads reviews with the head they are of', async () => {
      const headCommit = await bench.branch('promote/dev/reviewed');
      const forge = bench.engine();
      const { number } = await forge.open(draft('promote/dev/reviewed'));
      expect(await forge.reviews(number)).toEqual([]);

      await bench.approve(number);

      expect(await bench.engine().reviews(number)).toEqual([
        {
          reviewer: bench.personLogin,
          state: 'approved',
          commit: headCommit,
          at: expect.any(Number),
          sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        },
      ]);
      expect(await bench.engine().reviews(number)).toEqual(await bench.engine().reviews(number));
    });

    test('row 78: merges exactly the head it is given, once, and knows what a commit came in by', async () => {
      const before = await bench.headOf('main');
      const headCommit = await bench.branch('promote/dev/merge');
      const forge = bench.engine();
      const { number } = await forge.open(draft('promote/dev/merge'));
      const words = { title: 'promote(dev): web', message: 'Change-Set: cs-1\n' };

      const stale = await forge.merge(number, { head: before, ...words });
      const merged = await forge.merge(number, { head: headCommit, ...words });
      const again = await bench.engine().merge(number, { head: headCommit, ...words });

      expect(stale).toEqual({ kind: 'refused', reason: expect.stringMatching(/head/i) });
      expect(merged).toEqual({ kind: 'merged', commit: await bench.headOf('main') });
      expect(again).toEqual(merged);
      const request = { number, state: 'merged', mergeCommit: await bench.headOf('main') };
      expect(await forge.changeRequestOf(await bench.headOf('main'))).toMatchObject(request);
      expect(await forge.changeRequestOf(headCommit)).toMatchObject(request);
      expect(await forge.changeRequestOf(before)).toBe(undefined);
    });

    test('names who wrote the commits of a request, before and after its merge', async () => {
      await bench.branch('promote/dev/written');
      const head = await bench.branch('promote/dev/written');
      const { number } = await bench.engine().open(draft('promote/dev/written'));
      expect(await bench.engine().commitAuthors(number)).toEqual([bench.personLogin]);

      await bench.engine().merge(number, { head, title: 'written', message: '' });

      expect(await bench.engine().commitAuthors(number)).toEqual([bench.personLogin]);
    });

    test('row 80: what a protected branch asks for holds a merge, in the words of the forge', async () => {
      const forge = bench.engine();
      await forge.protect('main', ['capstan/promote']);
      const head = await bench.branch('promote/dev/held');
      const { number } = await forge.open(draft('promote/dev/held'));
      const words = { title: 't', message: 'm' };

      const refused = await forge.merge(number, { head, ...words });
      await forge.publish(head, { name: 'capstan/promote', state: 'success', detail: 'all gates passed' });

      expect(refused).toEqual({ kind: 'refused', reason: expect.stringContaining('equired status check') });
      expect(await forge.protection('main')).toMatchObject({ protected: true, requiredChecks: ['capstan/promote'] });
      expect(await forge.protection('promote/dev/held')).toMatchObject({ protected: false });
      expect(await forge.merge(number, { head, ...words })).toMatchObject({ kind: 'merged' });
    });

    test('a request that does not exist is missing', async () => {
      await expect(bench.engine().reviews(9999)).rejects.toMatchObject({ name: 'PortError', kind: 'missing' });
      await expect(bench.engine().merge(9999, { head: await bench.headOf('main'), title: 't', message: 'm' })).rejects.toMatchObject({
        name: 'PortError',
        kind: 'missing',
      });
    });
  });
}
