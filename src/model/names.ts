/** Branded identifiers. Only the parsers of `model/` cast; everybody else receives them. */
declare const brand: unique symbol;
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

export type EnvironmentName = Brand<string, 'EnvironmentName'>;
export type CapsuleName = Brand<string, 'CapsuleName'>;
export type InstanceName = Brand<string, 'InstanceName'>;
export type TargetName = Brand<string, 'TargetName'>;
/** A full ref (`refs/heads/main`). */
export type RefName = Brand<string, 'RefName'>;

const LABEL = /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/;
const INSTANCE = /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?){0,8}$/;

/** RFC 1123 label of at most 40 characters. */
export function isName(text: string): boolean {
  return LABEL.test(text);
}

function toName<N extends string>(text: string, kind: string): Brand<string, N> {
  if (!LABEL.test(text)) throw new Error(`not a valid ${kind} name: ${JSON.stringify(text.slice(0, 80))}`);
  return text as Brand<string, N>;
}

export function toEnvironmentName(text: string): EnvironmentName {
  return toName<'EnvironmentName'>(text, 'environment');
}

export function toCapsuleName(text: string): CapsuleName {
  return toName<'CapsuleName'>(text, 'capsule');
}

export function toTargetName(text: string): TargetName {
  return toName<'TargetName'>(text, 'target');
}

/** An instance is a label, or labels joined by `.` for private and nested instances (`greeter.cache`). */
export function toInstanceName(text: string): InstanceName {
  if (!INSTANCE.test(text)) throw new Error(`not a valid instance name: ${JSON.stringify(text.slice(0, 80))}`);
  return text as InstanceName;
}

export function branchRef(branch: string): RefName {
  return `refs/heads/${branch}` as RefName;
}

export function toRefName(text: string): RefName {
  if (!text.startsWith('refs/')) throw new Error(`not a full ref: ${JSON.stringify(text.slice(0, 80))}`);
  return text as RefName;
}
