import type { PeerResult } from './peers.ts';
import type { PromotionResult } from './promotion.ts';
import type { SizeResult } from './push.ts';
import type { Spread } from './statistics.ts';

export interface Verdict {
  readonly goal: string;
  readonly measured: string;
  readonly held: boolean;
}

export interface IntakeResult {
  readonly seconds: number;
  readonly ratio: { readonly min: number; readonly median: number; readonly max: number };
  readonly rounds: readonly {
    readonly oursPerSecond: number;
    readonly barePerSecond: number;
    readonly oursMilliseconds: { readonly p50: number; readonly p95: number; readonly p99: number };
  }[];
  readonly accepted: number;
  readonly failed: number;
  readonly rows: number;
  readonly lost: number;
}

export function printSizes(results: readonly SizeResult[]): void {
  console.log('\nPush to rendered diff, milliseconds from the last byte of the webhook; stock beside it on the same change');
  console.log(row(['units', 'what', 'n', 'min', 'median', 'p99', 'max', 'times ours, min', 'median', 'max']));
  for (const { units, ours, stock } of results) {
    console.log(line(units, 'ours: diff at hand', ours.whole));
    console.log(line(units, '  look began', ours.woken));
    console.log(line(units, '  fetched and read', ours.looked));
    for (const [name, result] of Object.entries(stock)) {
      console.log(line(units, `stock, ${name}`, result.whole, result.ratio));
      for (const part of ['fetch', 'checkout', 'render'] as const) console.log(line(units, `  ${part}`, result[part]));
    }
  }
  for (const { units, files, firstLook, counts, changedObjects } of results) {
    const counted = Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ');
    console.log(`${units} units in ${files} files: first look ${firstLook} ms; one push: ${counted}; ${changedObjects} objects differ`);
  }
}

export function printPromotion(promotion: PromotionResult): void {
  console.log(
    `\nPromotion in a repository of ${promotion.files} files: ${promotion.milliseconds} ms, ${promotion.changedBlobs} changed blob(s)`,
  );
  for (const [name, requests] of Object.entries(promotion.requests)) {
    console.log(`  ${name}: ${requests.length} request(s)${requests.map((request) => `\n    ${request}`).join('')}`);
  }
}

export function printPeers({ units, objects, ours, peers }: PeerResult): void {
  console.log(`\n${units} units, ${objects} objects, whole processes in milliseconds; ratios are times ours`);
  console.log(row(['units', 'what', 'n', 'min', 'median', 'p99', 'max', 'times ours, min', 'median', 'max']));
  console.log(line(units, 'ours: capstan render', ours.render));
  for (const peer of peers.filter(({ against }) => against === 'render')) console.log(line(units, peer.name, peer.whole, peer.ratio));
  console.log(line(units, 'ours: capstan validate', ours.validate));
  for (const peer of peers.filter(({ against }) => against === 'validate')) console.log(line(units, peer.name, peer.whole, peer.ratio));
}

export function printIntake(intake: IntakeResult): void {
  console.log(`\nWebhook intake, ${intake.seconds} s a round, beside a bare node:http server with the same HMAC that stores nothing`);
  for (const { oursPerSecond, barePerSecond, oursMilliseconds } of intake.rounds) {
    const { p50, p95, p99 } = oursMilliseconds;
    console.log(`  ours ${oursPerSecond}/s, bare ${barePerSecond}/s; ours answers in ${p50} ms (p50), ${p95} (p95), ${p99} (p99)`);
  }
  const { min, median, max } = intake.ratio;
  console.log(`  ratio ${min.toFixed(2)} / ${median.toFixed(2)} / ${max.toFixed(2)}; ${intake.rows} rows of ${intake.accepted} accepted`);
}

/** The goals of the bench, judged. Ratios are medians of stock over the median of ours. */
export function verdictsOf(
  results: readonly SizeResult[],
  promotion: PromotionResult | undefined,
  intake: IntakeResult | undefined,
): readonly Verdict[] {
  const verdicts: Verdict[] = [];
  const add = (goal: string, measured: string, held: boolean): number => verdicts.push({ goal, measured, held });
  for (const { units, ours, stock } of results) {
    const ratio = stock.everything.ratio.median;
    add(`${units} units: 10 times the whole stock pipeline`, `${ratio} times`, ratio >= 10);
    add(`${units} units: p99 under 150 ms`, `${ours.whole.p99} ms of ${ours.whole.count} pushes`, ours.whole.p99 < 150);
  }
  const first = results[0]?.ours.whole.median;
  const last = results.at(-1)?.ours.whole.median;
  if (results.length > 1 && first !== undefined && last !== undefined) {
    const flat = Math.round((last / first) * 100) / 100;
    add(`flat within 1.5 from ${results[0]?.units} to ${results.at(-1)?.units} units (medians)`, `${flat} times`, flat <= 1.5);
  }
  if (promotion !== undefined) {
    const { push, pullRequest } = promotion.requests;
    add('promotion changes one blob', String(promotion.changedBlobs), promotion.changedBlobs === 1);
    add('at most 3 requests for the push', String(push.length), push.length <= 3);
    add('at most 4 requests for the pull request', String(pullRequest.length), pullRequest.length <= 4);
  }
  if (intake !== undefined) {
    add('intake at least 0.8 of a bare server', `${intake.ratio.median.toFixed(2)}`, intake.ratio.median >= 0.8);
    add('no accepted delivery lost', `${intake.lost} of ${intake.accepted}`, intake.lost === 0);
  }
  return verdicts;
}

function line(units: number, what: string, spread: Spread, ratio?: Omit<Spread, 'p99'>): string {
  const times = ratio === undefined ? [] : [ratio.min, ratio.median, ratio.max];
  return row([units, what, spread.count, spread.min, spread.median, spread.p99, spread.max, ...times]);
}

function row(cells: readonly (string | number)[]): string {
  return cells.map((cell, at) => (at === 1 ? `  ${String(cell).padEnd(20)}` : String(cell).padStart(at > 6 ? 16 : 10))).join('');
}
