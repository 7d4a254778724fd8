/**
 * What Kubernetes says of its objects, in the compact form of kubernetes.generated.ts: lines, of which only those that are asked for are
 * ever taken apart.
 *
 *     :apps/v1 Deployment n apps.v1.Deployment        a kind: API version, kind, n(amespaced) or c(luster), shape
 *     core.v1.ContainerPort containerPort!i name:s    a shape: fields, `!` required or `:` not, with their types
 *
 * Types: `s` text, `y` bytes in base64, `t` time, `b` boolean, `i` 32 and `l` 64 bits of integer, `n` number, `q` quantity, `x` number or
 * text, `o` object, `?` anything, `"A|B` one of these texts (`^` is a blank), `#shape`, `~shape` (that shape where it is an object), `{}type` a map,
 * `[]type` a list, `[=]type` a set, `[key,key=absent]type` a list whose items differ in these keys.
 */

/** What `kubernetes.generated.ts` exports; given as an argument, because it is loaded when objects are to be judged and not before. */
export interface KubernetesTexts {
  readonly sources: readonly { readonly minor: string; readonly from: readonly string[] }[];
  readonly newest: string;
  readonly older: Readonly<Record<string, string>>;
  readonly lives: string;
}

export type FieldType =
  | { readonly kind: 'text' | 'bytes' | 'time' | 'boolean' | 'int32' | 'int64' | 'number' | 'quantity' | 'int-or-text' | 'object' | 'any' }
  | { readonly kind: 'choice'; readonly values: readonly string[] }
  /** `loose`: where the value is an object; whatever else it is, it is fine. */
  | { readonly kind: 'shape'; readonly shape: string; readonly loose: boolean }
  | { readonly kind: 'map'; readonly value: FieldType }
  | { readonly kind: 'list'; readonly item: FieldType; readonly distinct: Distinct };

/** How the items of a list differ: not at all, as a whole, or in keys, each with what an absent one stands for. */
export type Distinct = 'no' | 'whole' | readonly { readonly key: string; readonly absent: string | undefined }[];

export interface ShapeField {
  readonly required: boolean;
  readonly type: FieldType;
}

export interface Shape {
  readonly fields: ReadonlyMap<string, ShapeField>;
  readonly required: readonly string[];
}

/** Minors like `1.35`; `-` of the generated file is undefined. */
export interface Life {
  readonly deprecated: string | undefined;
  readonly removed: string | undefined;
  /** `networking.k8s.io/v1 Ingress`. */
  readonly replacement: string | undefined;
}

/** One minor of Kubernetes. */
export interface KubernetesApi {
  readonly minor: string;
  readonly groups: ReadonlySet<string>;
  /** `apps/v1 Deployment` -> the name of its shape. */
  readonly kinds: ReadonlyMap<string, string>;
  /** `extensions/v1beta1 Ingress` -> how long it lives, of every version that is or was to go. */
  readonly lives: ReadonlyMap<string, Life>;
  shape(name: string): Shape;
}

/** The shipped minor that is nearest to `wanted` (like `1.34`; undefined: the newest). */
export function nearestMinor(texts: KubernetesTexts, wanted: string | undefined): string {
  const minors = texts.sources.map((source) => source.minor);
  const [newest] = minors;
  if (newest === undefined) throw new Error('no Kubernetes minor is shipped');
  if (wanted === undefined) return newest;
  const distance = (minor: string): number => Math.abs(minorNumber(minor) - minorNumber(wanted));
  return minors.reduce((best, minor) => (distance(minor) < distance(best) ? minor : best), newest);
}

/** `1.34` of `v1.34.2-gke.100`; undefined of what is no version. */
export function minorOf(version: string): string | undefined {
  const [, major, minor] = /^v?(\d{1,3})\.(\d{1,4})(?:[.+-].{0,100})?$/.exec(version.trim()) ?? [];
  return major === undefined || minor === undefined ? undefined : `${major}.${minor}`;
}

/** Orders minors. */
export function minorNumber(minor: string): number {
  const [major = 0, second = 0] = minor.split('.').map(Number);
  return major * 10_000 + second;
}

export function openKubernetes(texts: KubernetesTexts, minor: string): KubernetesApi {
  const lines = new Map<string, string>();
  const kinds = new Map<string, string>();
  readLines(texts.newest, lines, kinds);
  const older = texts.older[minor];
  if (older !== undefined) readLines(older, lines, kinds);
  const lives = new Map(texts.lives.split('\n').map(lifeOf));
  const shapes = new Map<string, Shape>();
  return {
    minor,
    groups: new Set([...kinds.keys(), ...lives.keys()].map(groupOfKind)),
    kinds,
    lives,
    shape(name) {
      const known = shapes.get(name);
      if (known !== undefined) return known;
      const line = lines.get(name);
      if (line === undefined) throw new Error(`Kubernetes ${minor} has no shape ${name}`);
      const shape = shapeOf(line);
      shapes.set(name, shape);
      return shape;
    },
  };
}

function readLines(text: string, lines: Map<string, string>, kinds: Map<string, string>): void {
  for (const line of text.split('\n')) {
    if (line.startsWith('-:')) kinds.delete(line.slice(2));
    else if (line.startsWith('-')) lines.delete(line.slice(1));
    else if (line.startsWith(':')) {
      const [apiVersion = '', kind = '', , shape = ''] = line.slice(1).split(' ');
      kinds.set(`${apiVersion} ${kind}`, shape);
    } else {
      const end = line.indexOf(' ');
      lines.set(end < 0 ? line : line.slice(0, end), line);
    }
  }
}

function lifeOf(line: string): readonly [string, Life] {
  const [apiVersion = '', kind = '', , deprecated = '-', removed = '-', version = '-', other = ''] = line.split(' ');
  const at = (minor: string): string | undefined => (minor === '-' ? undefined : minor);
  return [
    `${apiVersion} ${kind}`,
    { deprecated: at(deprecated), removed: at(removed), replacement: version === '-' ? undefined : `${version} ${other}` },
  ];
}

function groupOfKind(text: string): string {
  const slash = text.indexOf('/');
  return slash < 0 ? '' : text.slice(0, slash);
}

function shapeOf(line: string): Shape {
  const [, ...fields] = line.split(' ');
  const known = new Map(
    fields.map((field): [string, ShapeField] => {
      const end = field.search(/[:!]/);
      return [field.slice(0, end), { required: field.charAt(end) === '!', type: typeOf(field.slice(end + 1)) }];
    }),
  );
  return { fields: known, required: [...known].flatMap(([name, field]) => (field.required ? [name] : [])) };
}

const SCALARS: ReadonlyMap<string, Exclude<FieldType['kind'], 'choice' | 'shape' | 'map' | 'list'>> = new Map([
  ['s', 'text'],
  ['y', 'bytes'],
  ['t', 'time'],
  ['b', 'boolean'],
  ['i', 'int32'],
  ['l', 'int64'],
  ['n', 'number'],
  ['q', 'quantity'],
  ['x', 'int-or-text'],
  ['o', 'object'],
  ['?', 'any'],
]);

function typeOf(text: string): FieldType {
  const rest = text.slice(1);
  switch (text.charAt(0)) {
    case '"':
      return { kind: 'choice', values: rest.replaceAll('^', ' ').split('|') };
    case '#':
      return { kind: 'shape', shape: rest, loose: false };
    case '~':
      return { kind: 'shape', shape: rest, loose: true };
    case '{':
      return { kind: 'map', value: typeOf(text.slice(2)) };
    case '[': {
      const end = text.indexOf(']');
      return { kind: 'list', item: typeOf(text.slice(end + 1)), distinct: distinctOf(text.slice(1, end)) };
    }
  }
  const kind = SCALARS.get(text);
  if (kind === undefined) throw new Error(`a shape of Kubernetes has the type ${text}`);
  return { kind };
}

function distinctOf(text: string): Distinct {
  if (text === '') return 'no';
  if (text === '=') return 'whole';
  return text.split(',').map((part) => {
    const [key = '', absent] = part.split('=');
    return { key, absent };
  });
}
