import type { Capsule, EnvironmentGate, Project } from '#model/declarations.generated.ts';
import type { Place, Problem } from '#model/problem.ts';

export type Prices = NonNullable<Project['spec']['prices']>;

/** Requests of an instance in one environment, in billionths: cores, bytes of memory, bytes of storage. */
export interface Requested {
  readonly cpu: bigint;
  readonly memory: bigint;
  readonly storage: bigint;
}

export interface CostQuestion {
  readonly capsule: string;
  readonly environment: string;
  readonly cost: Capsule['spec']['cost'];
  readonly prices: Prices;
  readonly requested: Requested;
  /** What runs now; undefined where nothing does. */
  readonly before: Requested | undefined;
  readonly gate: Pick<EnvironmentGate, 'maxIncreasePercent'>;
  /** Where the budget stands. */
  readonly at: (pointer: string) => Place;
}

/** A month of 365.25 / 12 days. */
const HOURS = 730.5;
const DAYS = 31;
const GIB = 2n ** 30n;
const SCALE = 1_000_000n;

/** What requests cost in a month, by the price sheet; a price that is not there is nothing. */
export function monthlyCost({ cpu, memory, storage }: Requested, prices: Prices): number {
  const cores = Number(cpu) / 1e9;
  // Billionths of a byte as millionths of a GiB: exact beyond 2^53.
  const gibibytes = (amount: bigint): number => Number((amount * SCALE) / (1_000_000_000n * GIB)) / Number(SCALE);
  return (
    cores * HOURS * (prices.cpuHour ?? 0) +
    gibibytes(memory) * HOURS * (prices.memoryGiBHour ?? 0) +
    gibibytes(storage) * (prices.storageGiBMonth ?? 0)
  );
}

/** V-95: a budget that agrees with itself and with the price sheet, and an estimate within it. */
export function costProblems(question: CostQuestion): readonly Problem[] {
  return [...inconsistencies(question), ...overspending(question)];
}

function inconsistencies({ cost, prices, at, capsule }: CostQuestion): readonly Problem[] {
  const { daily, monthly, annual, currency } = cost?.budget ?? {};
  const found: Problem[] = [];
  const report = (field: string, message: string, remedy: string): void => {
    const place = at(`/spec/cost/budget/${field}`);
    found.push({ code: 'cost-inconsistent', rule: 'V-95', severity: 'error', phase: 'promote', message, remedy, place, related: [] });
  };
  if (currency !== undefined && prices.currency !== undefined && currency !== prices.currency)
    report('currency', `budget of ${capsule} is in ${currency}; prices are in ${prices.currency}`, 'Write both in one currency.');
  if (daily !== undefined && monthly !== undefined && daily * DAYS < monthly)
    report(
      'daily',
      `budget of ${capsule}: ${DAYS} days of ${money(daily)} are less than ${money(monthly)} a month`,
      'Raise the daily budget, or lower the monthly one.',
    );
  if (monthly !== undefined && annual !== undefined && monthly * 12 < annual)
    report(
      'monthly',
      `budget of ${capsule}: 12 months of ${money(monthly)} are less than ${money(annual)} a year`,
      'Raise the monthly budget, or lower the annual one.',
    );
  return found;
}

function overspending({ cost, prices, requested, before, gate, at, capsule, environment }: CostQuestion): readonly Problem[] {
  const estimate = monthlyCost(requested, prices);
  const currency = cost?.budget?.currency ?? prices.currency ?? '';
  const unit = currency === '' ? '' : ` ${currency}`;
  const { daily, monthly, annual } = cost?.budget ?? {};
  const budgets = [
    ...(monthly === undefined ? [] : [{ field: 'monthly', amount: monthly, of: estimate, per: 'month' }]),
    ...(daily === undefined ? [] : [{ field: 'daily', amount: daily, of: (estimate / HOURS) * 24, per: 'day' }]),
    ...(annual === undefined ? [] : [{ field: 'annual', amount: annual, of: estimate * 12, per: 'year' }]),
  ];
  const over = (field: string, message: string): Problem => ({
    code: 'cost-over-budget',
    rule: 'V-95',
    severity: 'error',
    phase: 'promote',
    message,
    remedy: 'Lower requests or replicas, or let the budget be raised by whoever answers for it.',
    place: at(`/spec/cost/budget${field}`),
    related: [],
  });
  const found = budgets
    .filter(({ amount, of }) => rounded(of) > amount)
    .map(({ field, amount, of, per }) =>
      over(`/${field}`, `${capsule} in ${environment} is estimated at ${money(of)}${unit}/${per}; budget is ${money(amount)}`),
    );
  const most = gate.maxIncreasePercent;
  const past = before === undefined ? undefined : monthlyCost(before, prices);
  if (most !== undefined && past !== undefined && past > 0 && rounded(estimate) > rounded(past * (1 + most / 100)))
    found.push(
      over('', `${capsule} in ${environment} rises from ${money(past)} to ${money(estimate)}${unit}/month; the gate allows ${most} % more`),
    );
  return found;
}

function rounded(amount: number): number {
  return Math.round(amount * 100) / 100;
}

function money(amount: number): string {
  return Number.isInteger(amount) ? String(amount) : amount.toFixed(2);
}
