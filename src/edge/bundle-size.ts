import type { Fleet } from '#model/declarations.generated.ts';
import type { Declared } from '#model/desired.ts';
import { parseDuration } from '#model/instant.ts';
import type { Place, Problem } from '#model/problem.ts';
import { parseQuantity } from '#model/quantity.ts';
import { quoted } from '#model/quoted.ts';

/** What a bundle carries. */
export interface BundlePart {
  readonly name: string;
  /** Bytes as they are sent; undefined where only a registry knows. */
  readonly size: bigint | undefined;
}

export interface BundleVerdict {
  readonly problems: readonly Problem[];
  /** Why it could not be judged to the end. */
  readonly note: string | undefined;
}

const ONE = 1_000_000_000n;
const MIB = 1_048_576n;
const HOUR = 3_600_000n;

/** The same part twice is sent once. What is known may be too large already; the rest makes it only larger. */
export function bundleVerdict(fleet: Declared<Fleet>, parts: readonly BundlePart[]): BundleVerdict {
  const { delivery } = fleet.value.spec;
  const most = bytesOf(delivery?.bundle?.maxBytes);
  const rate = bytesOf(delivery?.bandwidth?.maxBytesPerHour);
  const length = parseDuration(delivery?.window?.duration ?? '');
  if (most === undefined && (rate === undefined || length === undefined)) return { problems: [], note: undefined };
  const distinct = [...new Map(parts.map((part) => [part.name, part])).values()];
  const size = distinct.reduce((sum, part) => sum + (part.size ?? 0n), 0n);
  const problems: Problem[] = [];
  const report = (place: Place, message: string, remedy: string): void => {
    problems.push({ code: 'bundle-too-large', rule: 'V-64', severity: 'error', phase: 'render', message, remedy, place, related: [] });
  };
  const name = quoted(fleet.value.metadata.name);
  if (most !== undefined && size > most)
    report(
      fleet.at('/spec/delivery/bundle/maxBytes'),
      `fleet ${name}: bundle is ${mebibytes(size)} MiB; at most ${mebibytes(most)} MiB are sent`,
      'Raise maxBytes, leave images out (includeImages: false), or send less to this fleet.',
    );
  if (rate !== undefined && length !== undefined) {
    const moved = (rate * BigInt(length)) / HOUR;
    if (size > moved)
      report(
        fleet.at('/spec/delivery/window'),
        `fleet ${name}: bundle is ${mebibytes(size)} MiB; at ${mebibytes(rate)} MiB an hour the ${delivery?.window?.duration ?? ''} window moves ${mebibytes(moved)} MiB`,
        'Widen the window, raise bandwidth.maxBytesPerHour, or send less to this fleet.',
      );
  }
  const unknown = distinct.filter((part) => part.size === undefined).length;
  const what = unknown === 1 ? 'the size of an image is' : `the sizes of ${unknown} images are`;
  return {
    problems,
    note:
      unknown === 0 || problems.length > 0
        ? undefined
        : `fleet ${name}: ${what} unknown here, so its bundle is not judged to the end (V-64)`,
  };
}

function bytesOf(quantity: string | number | undefined): bigint | undefined {
  const amount = quantity === undefined ? undefined : parseQuantity(quantity);
  return amount === undefined ? undefined : amount / ONE;
}

/** Rounded up to a tenth: 0.1 MiB too much is told as such. */
function mebibytes(bytes: bigint): string {
  const tenths = (bytes * 10n + MIB - 1n) / MIB;
  return tenths % 10n === 0n ? String(tenths / 10n) : `${tenths / 10n}.${tenths % 10n}`;
}
