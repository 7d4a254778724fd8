import type { CapsuleName, InstanceName } from '#model/names.ts';

/** Why nothing fits, in the words of V-17, V-20 and V-21. */
export type Clash =
  | { readonly kind: 'unknown-capsule'; readonly who: string; readonly capsule: string; readonly asked: Asked }
  | { readonly kind: 'unknown-type'; readonly who: string; readonly type: string; readonly asked: Asked }
  | {
      readonly kind: 'no-import';
      readonly who: string;
      readonly name: string;
      readonly from: string;
      readonly reason: string | undefined;
      readonly asked: Asked;
    }
  | { readonly kind: 'too-deep'; readonly instance: string; readonly asked: Asked }
  | { readonly kind: 'endless'; readonly chain: readonly string[]; readonly asked: Asked }
  | { readonly kind: 'name-taken'; readonly who: string; readonly instance: string; readonly capsule: string; readonly asked: Asked }
  | {
      readonly kind: 'conflict';
      /** The one that declares it, and the other, as people know them: `greeter@1.4.2`. */
      readonly a: string;
      readonly b: string;
      readonly environment: string;
      readonly declared: { readonly capsule: CapsuleName; readonly index: number };
      readonly asked: Asked;
      readonly chain: readonly string[];
    }
  | {
      readonly kind: 'no-version';
      readonly capsule: string;
      readonly needs: readonly string[];
      readonly available: readonly string[];
      readonly asked: Asked;
      readonly chain: readonly string[];
    };

/** Where the question came from: the environment's own instance, and the capsule and dependency that asked if it was not the environment. */
export interface Asked {
  readonly root: InstanceName;
  readonly capsule: CapsuleName | undefined;
  readonly dependency: string | undefined;
  /** Where the capsule says so, when that is no dependency. */
  readonly pointer?: string;
}

export function clashText(clash: Clash): string {
  switch (clash.kind) {
    case 'unknown-capsule':
      return `${clash.who} depends on "${clash.capsule}", which is not in capsules/ nor in imports`;
    case 'unknown-type':
      return `${clash.who} depends on type "${clash.type}", for which the environment has no recipe`;
    case 'too-deep':
      return `instance ${clash.instance} is nested deeper than 8`;
    case 'endless':
      return `extends chain is too deep or cyclic: ${clash.chain.join(' → ')}`;
    case 'name-taken':
      return `${clash.who} needs an instance named "${clash.instance}", but that name runs the capsule ${clash.capsule}`;
    case 'no-import':
      return `${clash.who} imports ${clash.name} from ${clash.from}, which ${clash.reason === undefined ? 'this clone does not have' : `is refused: ${clash.reason}`}`;
    case 'conflict':
      return `${clash.a} conflicts with ${clash.b} in environment ${clash.environment}`;
    case 'no-version': {
      const available = clash.available.length === 0 ? 'none' : clash.available.join(', ');
      return `no version of ${clash.capsule} satisfies all of: ${clash.needs.join('; ')}; available ${available}`;
    }
  }
}
