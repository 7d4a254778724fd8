import type { Fleet } from '#model/declarations.generated.ts';
import type { Declared } from '#model/desired.ts';
import { bundleVerdict, type BundlePart, type BundleVerdict } from './bundle-size.ts';

/** V-64: whether the bundle of a fleet may be as large as it is, and goes through the fleet's window. */
export function judgeBundle(fleet: Declared<Fleet>, parts: readonly BundlePart[]): BundleVerdict {
  return bundleVerdict(fleet, parts);
}
